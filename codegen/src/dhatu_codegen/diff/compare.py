"""Two documents to everything that changed between them."""

from __future__ import annotations

from datetime import date

from ..document import Map
from .change import Change
from .rules import RULES
from .sides import Comparison, Half


def compare(old: Map, new: Map, today: date) -> tuple[Change, ...]:
    """What changed from `old` to `new`, both without broken references; `today` decides on sunsets."""
    comparison = Comparison(Half(old), Half(new), today)
    for rule in RULES:
        rule(comparison)
    return tuple(dict.fromkeys(comparison.changes))
