"""Files and addresses to values that remember where they were written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map
from ..ir.schema import Json
from ..ir.source import SourceRef
from .fetch import FetchError, fetch
from .locations import Boundary, is_url
from .read_json import read_json
from .read_yaml import read_yaml

_JSON: Final = re.compile(r"\s*\{\s*[\"}]")
"""How a JSON document begins, whatever it is called."""


def load(root: Path, file: str, diagnostics: Diagnostics, *, named_at: SourceRef | None = None) -> Map | None:
    """Load the document `file`, relative to `root`; None where it cannot be read or is no object.

    `named_at` is the place that names the file, if another file does.
    """
    errors_before = len(diagnostics.errors)
    value = _read(root / file, file, diagnostics, named_at)
    return _object(value, file, diagnostics, errors_before)


def load_from(
    boundary: Boundary, location: str, diagnostics: Diagnostics, *, named_at: SourceRef | None = None
) -> Json:
    """Load the document at a location: any value, since a reference may lead to a file that is a list.

    None after an error, and DH050 where the location is out of bounds or does not answer.
    """
    start = named_at or SourceRef(file=location, line=1, column=1, pointer="")
    if not boundary.holds(location):
        hint = "name a folder or an address that holds it with --root, if you trust it"
        diagnostics.add("DH050", f"{location} is out of bounds and not read", start, hint=hint)
        return None
    if not is_url(location):
        return _read(Path(location), location, diagnostics, named_at)
    try:
        content = fetch(location, boundary.holds)
    except FetchError as error:
        diagnostics.add("DH050", f"{location} cannot be fetched: {error}", start)
        return None
    return _decode(content, location, diagnostics)


def load_document(boundary: Boundary, diagnostics: Diagnostics) -> Map | None:
    """Load the document that everything starts from; None where it cannot be read or is no object."""
    errors_before = len(diagnostics.errors)
    value = load_from(boundary, boundary.start, diagnostics)
    return _object(value, boundary.start, diagnostics, errors_before)


def _read(path: Path, file: str, diagnostics: Diagnostics, named_at: SourceRef | None) -> Json:
    try:
        content = path.read_bytes()
    except OSError as error:
        start = named_at or SourceRef(file=file, line=1, column=1, pointer="")
        diagnostics.add("DH001", f"{file} cannot be read: {error.strerror or error}", start)
        return None
    return _decode(content, file, diagnostics)


def _decode(content: bytes, file: str, diagnostics: Diagnostics) -> Json:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        place = SourceRef(file=file, line=line, column=1, pointer="")
        diagnostics.add("DH001", f"not UTF-8: {error.reason}", place, hint="save the file as UTF-8")
        return None
    diagnostics.remember(file, text)
    named_json = file.partition("?")[0].endswith(".json")
    return (read_json if named_json or _JSON.match(text) else read_yaml)(text, file, diagnostics)


def _object(value: Json, file: str, diagnostics: Diagnostics, errors_before: int) -> Map | None:
    if isinstance(value, Map):
        return value
    if len(diagnostics.errors) == errors_before:
        start = SourceRef(file=file, line=1, column=1, pointer="")
        diagnostics.add("DH002", "the document must be an object", start)
    return None
