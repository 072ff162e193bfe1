"""Workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from typing import Final

from ..diagnostics import CODES, Diagnostic, Diagnostics, Severity

_COMMANDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}


def to_github(diagnostics: Diagnostics) -> str:
    """One command a line (GitHub's documentation, "Workflow commands": setting an error message)."""
    return "\n".join(_command(found) for found in diagnostics.all)


def _command(found: Diagnostic) -> str:
    properties = {
        "file": found.source.file,
        "line": str(found.source.line),
        "col": str(found.source.column),
        "title": f"{found.code}: {CODES[found.code][1]}",
    }
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    lines = [found.message, *(f"{near.source} {near.message}" for near in found.related)]
    lines += [f"hint: {found.hint}"] if found.hint else []
    return f"::{_COMMANDS[found.severity]} {written}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    """Text after the second `::`; the runner decodes exactly these (actions/toolkit, command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value before the second `::`, where a colon or a comma would end it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
