"""What each code means, an example that triggers it, and how to mend it: the Markdown files beside this one.

A code has one section, `## DH031 the title`, in one of the files; the title is the one of the table of codes.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_SECTION: Final = re.compile(r"^## (DH\d{3}) .*$", re.MULTILINE)


def explanation(code: str) -> str:
    """The section of a code, as Markdown without its heading; empty where there is none."""
    return _sections().get(code, "")


@cache
def _sections() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda item: item.name):
        if file.name.endswith(".md"):
            parts = _SECTION.split(file.read_text(encoding="utf-8"))[1:]
            found |= {code: text.strip() for code, text in zip(parts[::2], parts[1::2], strict=True)}
    return found
