"""Containment by the keywords of arrays."""

from __future__ import annotations

import math

from .conjunction import Conjunction
from .difference import Difference
from .engine import Engine
from .facts import Facts
from .scalars import differs
from .side import Part


def of_items(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """items and prefixItems, position by position, then the rest."""
    if "array" not in facts.types:
        return []
    prefix, rest = wide.listed("prefixItems"), wide.get("items")
    positions = max(len(prefix), facts.longest_prefix)
    found: list[Difference] = []
    for index in range(positions):
        schema = prefix[index] if index < len(prefix) else rest
        if schema is not None and index < facts.most_items:
            found += engine.contains(schema, facts.item(index))
    if rest is not None and positions < facts.most_items:
        found += engine.contains(rest, facts.item(positions))
    return found


def of_most_items(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """maxItems, which `items: false` implies too."""
    most = wide.number("maxItems")
    if most is None or "array" not in facts.types or facts.most_items <= most:
        return []
    own = facts.most_items
    return [differs(wide, facts, "maxItems", (most, own if math.isfinite(own) else None))]


def of_unique(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """uniqueItems, which fewer than two items have anyway."""
    if wide.value("uniqueItems") is not True or "array" not in facts.types or facts.most_items <= 1:
        return []
    if any(part.value("uniqueItems") is True for part in facts.having("uniqueItems")):
        return []
    return [differs(wide, facts, "uniqueItems", (True, None))]


def of_contains(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """contains with its two bounds: a schema that says as much of at least, or at most, as many items."""
    wanted = wide.get("contains")
    if wanted is None or "array" not in facts.types:
        return []
    least, most = wide.number("minContains"), wide.number("maxContains")
    least = 1 if least is None else least
    own = [part for part in facts.having("contains") if part.get("contains") is not None]
    found: list[Difference] = []
    if least > 0 and not _enough(engine, wanted, (facts, own), least):
        found.append(differs(wide, facts, "contains", ("demanded", None), "maybe" if own else "sure"))
    if most is not None and facts.most_items > most and not _few_enough(engine, wanted, own, most):
        found.append(differs(wide, facts, "maxContains", (most, None), "maybe"))
    return found


def _enough(engine: Engine, wanted: Part, known: tuple[Facts, list[Part]], least: float) -> bool:
    facts, own = known
    for part in own:
        inner, count = part.get("contains"), part.number("minContains")
        if inner is not None and (1 if count is None else count) >= least:
            together = Conjunction(parts=(inner, *_every_item(facts)))
            if not engine.contains(wanted, together):
                return True
    return facts.least("minItems")[0] >= least and all(
        not engine.contains(wanted, facts.item(index)) for index in range(facts.longest_prefix + 1)
    )


def _every_item(facts: Facts) -> tuple[Part, ...]:
    return facts.item(0).parts if not facts.longest_prefix else ()


def _few_enough(engine: Engine, wanted: Part, own: list[Part], most: float) -> bool:
    for part in own:
        inner, count = part.get("contains"), part.number("maxContains")
        if inner is None or count is None or count > most:
            continue
        # At most `count` items satisfy `inner`, so no more satisfy what only they can.
        if not engine.contains(inner, Conjunction(parts=(wanted,))):
            return True
    return False
