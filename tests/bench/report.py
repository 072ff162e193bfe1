"""What a benchmark says: one line per figure, and all of them in build/bench.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

BENCH_FILE = Path(__file__).parents[2] / "build" / "bench.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value, and how it stands to another that was measured beside it."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    """`value` divided by the value of `against`; None where there is nothing to compare with."""
    against: str | None = None

    def __str__(self) -> str:
        comparison = "" if self.ratio is None else f"  = {self.ratio:.2f} x {self.against}"
        return f"  {self.name:34} {self.value:12,.2f} {self.unit:11}{comparison}"


def report(figures: list[Figure]) -> None:
    """Prints the figures and merges them into the file by name."""
    for figure in figures:
        print(figure)
    BENCH_FILE.parent.mkdir(exist_ok=True)
    known = json.loads(BENCH_FILE.read_text(encoding="utf-8")) if BENCH_FILE.exists() else {}
    for figure in figures:
        known[figure.name] = {
            "value": figure.value,
            "unit": figure.unit,
            "ratio": figure.ratio,
            "against": figure.against,
        }
    BENCH_FILE.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
