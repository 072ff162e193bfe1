"""What stands between a breaking change and the generated files: the last released document."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map
from ..emit import to_yaml
from ..reading.load import load
from .accepted import ACCEPTED_FILE
from .report import Question, report

RELEASED_FILE: Final = "spec/released/v1.yaml"
_HEADER: Final = (
    "The API as it was released; every change is compared with it. Renewed by `dhatu-codegen release`."
)


def compare_with_released(root: Path, merged: Map, today: date, diagnostics: Diagnostics) -> None:
    """Report what breaks the released API; nothing where none has been released."""
    file = root / RELEASED_FILE
    accepted = load(root, ACCEPTED_FILE, diagnostics) if (root / ACCEPTED_FILE).is_file() else None
    if not file.is_file():
        return
    if accepted is None and file.read_text(encoding="utf-8") == released_text(merged):
        return
    old = load(root, RELEASED_FILE, diagnostics)
    if old is not None:
        question = Question(old=old, new=merged, accepted=accepted, today=today, notes=False)
        report(question, diagnostics)


def write_released(root: Path, merged: Map) -> None:
    """Make the merged document the released one."""
    file = root / RELEASED_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(released_text(merged), encoding="utf-8", newline="\n")


def released_text(merged: Map) -> str:
    """The merged document as RELEASED_FILE holds it."""
    return to_yaml(merged, _HEADER)
