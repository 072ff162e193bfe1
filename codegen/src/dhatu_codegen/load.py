"""Files to values that remember where they were written."""

from __future__ import annotations

from pathlib import Path

from .diagnostics import Diagnostics
from .document import Map
from .ir.source import SourceRef
from .read_json import read_json
from .read_yaml import read_yaml


def load(root: Path, file: str, diagnostics: Diagnostics, *, named_at: SourceRef | None = None) -> Map | None:
    """Load the document `file`, relative to `root`; None where it cannot be read or is no object.

    `named_at` is the place that names the file, if another file does.
    """
    start = SourceRef(file=file, line=1, column=1, pointer="")
    try:
        text = (root / file).read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror or error}"
        diagnostics.add("DH001", message, named_at or start)
        return None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        place = SourceRef(file=file, line=line, column=1, pointer="")
        diagnostics.add("DH001", f"not UTF-8: {error.reason}", place, hint="save the file as UTF-8")
        return None
    diagnostics.remember(file, text)
    errors_before = len(diagnostics.errors)
    read = read_json if file.endswith(".json") else read_yaml
    document = read(text, file, diagnostics)
    if isinstance(document, Map):
        return document
    if len(diagnostics.errors) == errors_before:
        diagnostics.add("DH002", "the document must be an object", start)
    return None
