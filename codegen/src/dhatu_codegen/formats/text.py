"""Problems as people read them: beside the line, with a caret."""

from __future__ import annotations

from typing import Final

from ..diagnostics import Diagnostics

_COLOURS: Final = {"error": "31", "warning": "33", "note": "36"}
"""SGR parameters (ECMA-48, section 8.3.117): red, yellow, cyan."""


def to_text(diagnostics: Diagnostics, *, colour: bool = False) -> str:
    """Every problem as `Diagnostics.render` shows it, then how many there are of each severity."""
    blocks: list[str] = []
    for found in diagnostics.all:
        shown = diagnostics.render(found)
        if colour:
            mark = f"{found.severity}[{found.code}]"
            shown = shown.replace(mark, f"\x1b[1;{_COLOURS[found.severity]}m{mark}\x1b[0m", 1)
        blocks.append(shown)
    return "\n".join([*blocks, diagnostics.summary]) if blocks else ""
