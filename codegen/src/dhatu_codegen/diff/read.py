"""Any OpenAPI document, from a file, an address or a git revision, ready to be compared."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from ..diagnostics import CODES, Diagnostics, Severity
from ..document import Map
from ..ir.source import SourceRef
from ..reading.locations import Boundary
from ..reading.read_json import read_json
from ..reading.read_yaml import read_yaml
from ..sdk.bundle import bundle
from ..upgrade import upgrade

_GIT: Final = "git:"


def read_document(location: str, diagnostics: Diagnostics, folder: Path) -> Map | None:
    """The document at `location`, in OpenAPI 3.1; None where it cannot be read.

    `git:REVISION:PATH` is read by git in `folder`. What other commands would warn of is not said here.
    """
    quiet: dict[str, Severity] = {
        code: severity for code, (severity, _) in CODES.items() if severity != "error"
    }
    for code in quiet:
        diagnostics.switch(code, None)
    if location.startswith(_GIT):
        document = _of_revision(location, diagnostics, folder)
    else:
        document = bundle(Boundary(start=location), diagnostics)
    upgraded = upgrade(document, diagnostics) if document is not None else None
    for code, severity in quiet.items():
        diagnostics.switch(code, severity)
    return upgraded


def _of_revision(location: str, diagnostics: Diagnostics, folder: Path) -> Map | None:
    start = SourceRef(file=location, line=1, column=1, pointer="")
    revision = location.removeprefix(_GIT)
    if revision.startswith("-"):
        diagnostics.add("DH001", f"{location} names no revision", start)
        return None
    asked = subprocess.run(["git", "show", revision], cwd=folder, capture_output=True, check=False)
    if asked.returncode:
        problem = asked.stderr.decode(errors="replace").strip()
        diagnostics.add("DH001", f"{location} cannot be read: {problem}", start)
        return None
    text = asked.stdout.decode("utf-8-sig", errors="replace")
    diagnostics.remember(location, text)
    read = read_json if revision.endswith(".json") else read_yaml
    document = read(text, location, diagnostics)
    if isinstance(document, Map):
        return document
    if not diagnostics.errors:
        diagnostics.add("DH002", "the document must be an object", start)
    return None
