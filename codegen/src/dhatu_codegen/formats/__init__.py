"""How a report of problems is written: for people, for programs, for code scanners, for a workflow's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from ..diagnostics import Diagnostics
from .github import to_github
from .json_report import to_json
from .sarif import to_sarif
from .text import to_text


class Format(StrEnum):
    """The values of `--format`."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


_WRITERS: Final[Mapping[Format, Callable[[Diagnostics], str]]] = {
    Format.JSON: to_json,
    Format.SARIF: to_sarif,
    Format.GITHUB: to_github,
}


def report(diagnostics: Diagnostics, form: Format, *, colour: bool = False) -> str:
    """Everything found in one format, without the last line break; `colour` counts for text only."""
    if form is Format.TEXT:
        return to_text(diagnostics, colour=colour)
    return _WRITERS[form](diagnostics)
