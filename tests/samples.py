"""What README and docs show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("codegen", "gateway", "sdk-js", "sdk-python")
PAGES: Final = [
    ROOT / "README.md",
    *(ROOT / name / "README.md" for name in PACKAGES),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_SAMPLE: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def samples(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """(line that it begins on, text) of every sample of a page in one language."""
    text = page.read_text(encoding="utf-8")
    for found in _SAMPLE.finditer(text):
        if found[1] == language:
            yield text.count("\n", 0, found.start(2)) + 1, found[2]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if any(samples(page, language))]


def program(page: Path, language: str) -> str:
    """All samples of a page one after the other, each on the lines that it has there."""
    text = ""
    for line, sample in samples(page, language):
        text += "\n" * (line - 1 - text.count("\n")) + sample
    return text


def name_of(page: Path) -> str:
    """`sdk-js/README.md`."""
    return page.relative_to(ROOT).as_posix()
