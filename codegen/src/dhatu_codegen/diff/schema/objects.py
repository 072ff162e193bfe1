"""Containment by the keywords of objects."""

from __future__ import annotations

import math
from dataclasses import replace

from ...ir.schema import Json
from .conjunction import Conjunction
from .difference import Certainty, Difference
from .engine import Engine
from .facts import Facts, matches, synthetic
from .scalars import differs
from .side import Part


def of_required(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """required: the narrower schema requires it too."""
    if "object" not in facts.types:
        return []
    members = wide.node.get("required")
    found: list[Difference] = []
    for member in members.elements() if members else ():
        name = member.value
        if isinstance(name, str) and name not in facts.required:
            declared = (part.node.at("/properties") for part in facts.having("properties"))
            written = next((node for listed in declared if listed and (node := listed.get(name))), None)
            own = "optional" if written else "not declared"
            found.append(
                Difference(
                    subject=f"property {name!r}",
                    wide_says="required",
                    narrow_says=own,
                    wide=member,
                    narrow=written or facts.place,
                )
            )
    return found


def of_properties(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """properties: each is contained in the one of the same name."""
    found: list[Difference] = []
    if "object" not in facts.types:
        return found
    declared = frozenset(facts.property_names)
    for name, schema in wide.named("properties").items():
        member = facts.member(name)
        if engine.empty(member):
            continue
        if name not in declared and not member.parts:
            if schema.node.value is not True and engine.contains(schema, member):
                found.append(_undeclared(name, schema, facts))
            continue
        found += engine.contains(schema, _placed(member, facts, name))
    return found


def _placed(member: Conjunction, facts: Facts, name: str) -> Conjunction:
    """A member that is any value gets a place to be named: that of its object."""
    if member.parts or not facts.conjunction.parts:
        return member
    anything = synthetic(facts.conjunction.parts[0], "$comment", name)
    return Conjunction(parts=(anything,))


def _undeclared(name: str, schema: Part, facts: Facts) -> Difference:
    return Difference(
        subject=f"property {name!r}",
        wide_says="of a declared type",
        narrow_says="not declared, hence of any",
        wide=schema.node,
        narrow=facts.place,
        certainty="undeclared",
    )


def of_additional(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """additionalProperties: what the wider schema does not name."""
    rest = wide.get("additionalProperties")
    if rest is None or "object" not in facts.types:
        return []
    own, patterns = wide.named("properties"), wide.named("patternProperties")
    found: list[Difference] = []
    for name in facts.property_names:
        if name in own or any(matches(pattern, name) for pattern in patterns):
            continue
        member = facts.member(name)
        if not engine.empty(member):
            found += _within(engine, rest, (member, facts), f"property {name!r}")
    for pattern in facts.patterns:
        if pattern not in patterns:
            under = facts.under_pattern(pattern)
            found += _within(engine, rest, (under, facts), f"properties like {pattern!r}")
    if not engine.empty(facts.other_members):
        found += _within(engine, rest, (facts.other_members, facts), "other properties")
    return found


def _within(
    engine: Engine, schema: Part, member_of: tuple[Conjunction, Facts], subject: str
) -> list[Difference]:
    member, facts = member_of
    if schema.node.value is not False:
        return list(engine.contains(schema, _placed(member, facts, subject)))
    narrow = member.parts[0].node if member.parts else facts.place
    return [
        Difference(
            subject=subject, wide_says="refused", narrow_says="accepted", wide=schema.node, narrow=narrow
        )
    ]


def of_patterns(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """patternProperties: members that are named, those under the same pattern, and all others."""
    found: list[Difference] = []
    if "object" not in facts.types:
        return found
    for pattern, schema in wide.named("patternProperties").items():
        for name in facts.property_names:
            if matches(pattern, name) is not False and not engine.empty(facts.member(name)):
                found += engine.contains(schema, _placed(facts.member(name), facts, name))
        if pattern in facts.patterns:
            others = facts.under_pattern(pattern)
        else:
            others = Conjunction(parts=()) if facts.patterns else facts.other_members
        if not engine.empty(others):
            found += engine.contains(schema, _placed(others, facts, pattern))
    return found


def of_property_names(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """propertyNames: by the narrower schema's own, or name by name where it is closed."""
    schema = wide.get("propertyNames")
    if schema is None or "object" not in facts.types:
        return []
    listed = [own for part in facts.having("propertyNames") if (own := part.get("propertyNames"))]
    text = synthetic(wide, "type", "string")
    if not engine.contains(schema, Conjunction(parts=(*listed, text))):
        return []
    if facts.closed:
        names = [name for name in facts.property_names if not engine.empty(facts.member(name))]
        if all(
            not engine.contains(schema, Conjunction(parts=(synthetic(wide, "const", name),)))
            for name in names
        ):
            return []
    certainty: Certainty = "maybe" if listed else "sure"
    return [differs(wide, facts, "propertyNames", ("narrower", "wider" if listed else None), certainty)]


def of_size(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """minProperties and maxProperties, which required and closed objects imply too."""
    if "object" not in facts.types:
        return []
    found: list[Difference] = []
    least, most = wide.number("minProperties"), wide.number("maxProperties")
    own_least = max(facts.least("minProperties")[0], len(facts.required))
    own_most = facts.greatest("maxProperties")[0]
    if facts.closed:
        own_most = min(own_most, len(facts.property_names))
    if least is not None and least > own_least:
        found.append(differs(wide, facts, "minProperties", (least, own_least or None)))
    if most is not None and most < own_most:
        says: tuple[Json, Json] = (most, own_most if math.isfinite(own_most) else None)
        found.append(differs(wide, facts, "maxProperties", says))
    return found


def of_dependents(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """dependentRequired and dependentSchemas: what a member brings with it."""
    found: list[Difference] = []
    if "object" not in facts.types:
        return found
    listed = wide.node.get("dependentRequired")
    for name, wanted in listed.members() if listed else ():
        known = set(facts.required)
        for part in facts.having("dependentRequired"):
            own = part.node.get("dependentRequired")
            known |= set(own.texts(name)) if own else set()
        missing = [other for other in listed.texts(name) if other not in known] if listed else []
        if missing and not engine.empty(facts.member(name)):
            difference = differs(wide, facts, "dependentRequired", (", ".join(missing), None))
            found.append(replace(difference, wide=wanted, subject=f"what property {name!r} requires"))
    for name, schema in wide.named("dependentSchemas").items():
        given = (part.named("dependentSchemas").get(name) for part in facts.having("dependentSchemas"))
        if not engine.empty(facts.member(name)):
            more = tuple(part for part in given if part)
            found += engine.contains(schema, facts.conjunction.with_parts(*more))
    return found
