"""Containment by the keywords that combine schemas, and by those that depend on what others looked at."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from .difference import Difference
from .engine import Engine
from .facts import NUMBERS, Facts, synthetic
from .scalars import differs, shown
from .side import Part

_UNDECIDED = ("unevaluatedItems", "unevaluatedProperties", "$dynamicRef")


def of_union(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """anyOf and oneOf: all values are in one branch; of a oneOf, in no other."""
    found: list[Difference] = []
    for keyword in ("anyOf", "oneOf"):
        branches = wide.listed(keyword)
        if branches:
            found += _in_branches(engine, (wide, keyword, branches), facts)
    return found


def _in_branches(engine: Engine, union: tuple[Part, str, tuple[Part, ...]], facts: Facts) -> list[Difference]:
    wide, keyword, branches = union
    own = facts.conjunction.parts
    same = next((branch for branch in branches if any(branch.same(part) for part in own)), None)
    if same is None and facts.choices:
        # Answered branch by branch: whoever asked splits the narrower schema and asks again.
        return [differs(wide, facts, keyword, ("fewer variants", "more"), "maybe")]
    near = [branch for branch in branches if not engine.apart(branch, facts)]
    near.sort(key=partial(_unlikeness, facts))
    inside = same or next((b for b in near if not engine.contains(b, facts.conjunction)), None)
    if inside is not None:
        return _alone(engine, union, facts, inside) if keyword == "oneOf" else []
    if len(facts.types) > 1 and own:
        found: list[Difference] = []
        for kind in sorted(facts.types):
            name = "number" if kind == "fraction" else kind
            if kind == "integer" and "fraction" in facts.types:
                continue
            one = engine.facts(facts.conjunction.with_parts(synthetic(own[-1], "type", name)))
            if one.types != facts.types:
                found += _in_branches(engine, union, one)
        if found or not facts.types <= NUMBERS:
            return found
    like = [branch for branch in near if not _unlikeness(facts, branch)] or near
    if len(like) == 1:
        return list(engine.contains(like[0], facts.conjunction))
    says = ("refused", "accepted")
    return [
        replace(differs(wide, facts, keyword, says), subject=f"variant {_named(facts)}", narrow=facts.place)
    ]


def _alone(
    engine: Engine, union: tuple[Part, str, tuple[Part, ...]], facts: Facts, inside: Part
) -> list[Difference]:
    """What is in one branch of a oneOf must be in no other."""
    wide, keyword, branches = union
    for other in branches:
        if other is not inside and not engine.apart(other, facts):
            says = ("may match two variants", "matches one")
            found = differs(wide, facts, keyword, says, "maybe")
            return [replace(found, wide=other.node, narrow=facts.place)]
    return []


def _unlikeness(facts: Facts, branch: Part) -> int:
    """0 for the branch that refers to what the narrower schema refers to."""
    reference = branch.value("$ref")
    return 0 if reference and any(part.value("$ref") == reference for part in facts.parts) else 1


def _named(facts: Facts) -> str:
    last = facts.conjunction.parts[-1] if facts.conjunction.parts else None
    reference = last.value("$ref") if last else None
    name = str(reference).rpartition("/")[2] if reference else ""
    return name or " or ".join(sorted(facts.types))


def of_not(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """not: no value of the narrower schema satisfies it."""
    refused = wide.get("not")
    if refused is None or engine.apart(refused, facts):
        return []
    own = next((part.value("not") for part in facts.having("not")), None)
    return [differs(wide, facts, "not", (refused.node.value, own), "maybe")]


def of_condition(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """if, then, else: what follows holds for the values that it is asked of."""
    condition = wide.get("if")
    if condition is None:
        return []
    same = [part for part in facts.having("if") if (own := part.get("if")) and condition.same(own)]
    found: list[Difference] = []
    for keyword in ("then", "else"):
        schema = wide.get(keyword)
        if schema is None:
            continue
        known = [own for part in same if (own := part.get(keyword))]
        known += [condition] if keyword == "then" else []
        together = engine.facts(facts.conjunction.with_parts(*known)).conjunction
        found += [replace(one, certainty="maybe") for one in engine.contains(schema, together)]
    return found


def of_undecided(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """Keywords that depend on what others looked at: equal schemas only, which never come here."""
    found: list[Difference] = []
    for keyword in _UNDECIDED:
        value = wide.value(keyword)
        if value is None or value is True or (keyword == "unevaluatedItems" and "array" not in facts.types):
            continue
        if keyword == "unevaluatedProperties" and "object" not in facts.types:
            continue
        own = next((part.value(keyword) for part in facts.having(keyword)), None)
        found.append(differs(wide, facts, keyword, (value, shown(own) if own is not None else None), "maybe"))
    return found
