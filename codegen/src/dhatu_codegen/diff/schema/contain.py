"""The one routine that compares schemas: is every value of one a value of another?

A schema is a conjunction of keywords, so the wider one is taken keyword by keyword, and each is asked of
all that is known of the narrower one; where that does not suffice, the unions of the narrower one are split
into their branches. Recursion is coinductive: a pair that is being compared counts as contained where it
comes up again (Amadio and Cardelli, "Subtyping recursive types", 1993). What cannot be decided is a
difference too.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import jsonschema_rs

from . import arrays, objects, scalars, unions
from .conjunction import Conjunction, ConjunctionKey
from .difference import Difference
from .engine import Rule
from .facts import NUMBERS, Facts
from .side import Part
from .tags import tagged_apart

RULES: Final[tuple[tuple[frozenset[str], Rule], ...]] = (
    (frozenset({"type"}), scalars.of_type),
    (frozenset({"enum", "const"}), scalars.of_enum),
    (
        frozenset({key for bound in scalars.BOUNDS for key in (bound.keyword, bound.exclusive)}),
        scalars.of_bounds,
    ),
    (frozenset({"multipleOf"}), scalars.of_multiple),
    (frozenset({"pattern"}), scalars.of_pattern),
    (frozenset({"format"}), scalars.of_format),
    (frozenset({"contentEncoding", "contentMediaType"}), scalars.of_content),
    (frozenset({"items", "prefixItems"}), arrays.of_items),
    (frozenset({"maxItems"}), arrays.of_most_items),
    (frozenset({"uniqueItems"}), arrays.of_unique),
    (frozenset({"contains"}), arrays.of_contains),
    (frozenset({"required"}), objects.of_required),
    (frozenset({"properties"}), objects.of_properties),
    (frozenset({"additionalProperties"}), objects.of_additional),
    (frozenset({"patternProperties"}), objects.of_patterns),
    (frozenset({"propertyNames"}), objects.of_property_names),
    (frozenset({"minProperties", "maxProperties"}), objects.of_size),
    (frozenset({"dependentRequired", "dependentSchemas"}), objects.of_dependents),
    (frozenset({"anyOf", "oneOf"}), unions.of_union),
    (frozenset({"not"}), unions.of_not),
    (frozenset({"if"}), unions.of_condition),
    (frozenset({"unevaluatedItems", "unevaluatedProperties", "$dynamicRef"}), unions.of_undecided),
)
"""The keywords of the wider schema, and who answers for them."""

_DESCENDING: Final[frozenset[Rule]] = frozenset(
    {
        *(arrays.of_items, arrays.of_contains, objects.of_properties, objects.of_additional),
        *(objects.of_patterns, objects.of_property_names),
    }
)
"""Rules that speak of parts of the value: a pair is assumed only for parts of what it is asked of."""

_MOST_COMBINATIONS: Final = 256
_MOST_PAIRS: Final = 1500
"""Comparisons for one body or parameter; the largest of OpenAI's document takes some 1,200."""
_EMPTY_DEPTH: Final = 3
_Key: TypeAlias = tuple[tuple[int, str], ConjunctionKey]


class Containment:
    """Compares schemas of two documents, each pair once."""

    def __init__(self) -> None:
        self._proven: dict[_Key, tuple[Difference, ...]] = {}
        self._assumed: dict[_Key, int] = {}
        """Contained as long as a pair at that depth is, which is still being compared."""
        self._trail: list[_Key] = []
        """The assumed pairs in the order in which they were compared."""
        self._open: dict[_Key, tuple[int, int]] = {}
        """Its depth, and the level in the value that it speaks of."""
        self._level = 0
        self._pairs_left = _MOST_PAIRS
        self._reaches: list[float] = []
        """By depth: the shallowest open pair that the comparison there has relied on."""
        self._facts: dict[ConjunctionKey, Facts] = {}
        self._empty: dict[tuple[ConjunctionKey, int], bool] = {}

    def contains(self, wide: Part, narrow: Conjunction) -> tuple[Difference, ...]:
        """Why a value of `narrow` may not be one of `wide`; empty where all are."""
        if wide.node.value is True or wide.node.value == {}:
            return ()
        key = (wide.key, narrow.key)
        if key in self._proven:
            return self._proven[key]
        if any(wide.same(part) for part in narrow.parts):
            return ()
        depth, level = self._open.get(key, (None, -1))
        if depth is not None and level == self._level:
            return (_undecided("recursion", wide, self.facts(narrow)),)
        relied_on = self._assumed.get(key) if depth is None else depth
        if relied_on is not None:
            self._reaches[-1] = min(self._reaches[-1], relied_on)
            return ()
        self._pairs_left = self._pairs_left - 1 if self._open else _MOST_PAIRS
        if self._pairs_left <= 0:
            return (_undecided("schema too large to be compared", wide, self.facts(narrow)),)
        return self._compare(key, wide, narrow)

    def _compare(self, key: _Key, wide: Part, narrow: Conjunction) -> tuple[Difference, ...]:
        depth = len(self._reaches)
        self._open[key] = (depth, self._level)
        self._reaches.append(math.inf)
        trail_before = len(self._trail)
        found = tuple({one.key: one for one in self._judge(wide, narrow)}.values())
        reach = self._reaches.pop()
        del self._open[key]
        if found or reach >= depth:
            # After a difference whatever relied on this pair may be wrong, and is compared again if need be.
            for assumed in self._trail[trail_before:]:
                del self._assumed[assumed]
                if not found:
                    self._proven[assumed] = ()
            del self._trail[trail_before:]
            self._proven[key] = found
        else:
            self._assumed[key] = int(reach)
            self._trail.append(key)
        if self._reaches and reach < depth:
            self._reaches[-1] = min(self._reaches[-1], reach)
        return found

    def _judge(self, wide: Part, narrow: Conjunction) -> list[Difference]:
        if self.empty(narrow):
            return []
        facts = self.facts(narrow)
        if wide.node.value is False:
            says = ("refused", "accepted")
            return [
                Difference(
                    subject="any value",
                    wide_says=says[0],
                    narrow_says=says[1],
                    wide=wide.node,
                    narrow=facts.place,
                )
            ]
        if not isinstance(wide.node.value, dict):
            return []
        found: list[Difference] = []
        if "$ref" in wide.node.value:
            target = wide.side.follow(wide)
            if target is None:
                found.append(scalars.differs(wide, facts, "$ref", (wide.value("$ref"), None), "maybe"))
            else:
                found += self.contains(target, narrow)
        for part in wide.listed("allOf"):
            found += self.contains(part, narrow)
        for keywords, rule in RULES:
            if not keywords.isdisjoint(wide.node.value):
                self._level += rule in _DESCENDING
                found += self._ask(rule, wide, facts, _MOST_COMBINATIONS)
                self._level -= rule in _DESCENDING
        return [] if found and _all_accepted(wide, facts) else found

    def _ask(self, rule: Rule, wide: Part, facts: Facts, budget: int) -> list[Difference]:
        """One keyword of the wider schema, of the narrower as a whole or else of each of its branches."""
        found = rule(self, wide, facts)
        if not found or not facts.choices:
            return found
        choice = facts.choices[0]
        budget //= len(choice[1])
        if not budget:
            return found
        split: list[Difference] = []
        for branch in choice[1]:
            narrow = facts.conjunction.with_branch(choice, branch)
            if not self.empty(narrow):
                split += self._ask(rule, wide, self.facts(narrow), budget)
        return split

    def facts(self, conjunction: Conjunction) -> Facts:
        """The facts of a conjunction, computed once."""
        key = conjunction.key
        if key not in self._facts:
            self._facts[key] = Facts(conjunction)
        return self._facts[key]

    def apart(self, part: Part, facts: Facts) -> bool:
        """Whether no value of the facts satisfies `part` for certain."""
        own = self.facts(Conjunction(parts=(part,)))
        if tagged_apart(own, facts) or any(part.same(refused) for refused in facts.refused):
            return True
        together = facts.conjunction.with_parts(part)
        if self.empty(together):
            return True
        # What is refused and has nothing of `part` cannot have all of it.
        near = [one for one in facts.refused if not tagged_apart(self.facts(Conjunction(parts=(one,))), own)]
        return any(not self.contains(refused, together) for refused in near)

    def empty(self, conjunction: Conjunction, depth: int = _EMPTY_DEPTH) -> bool:
        """Whether no value satisfies a conjunction for certain; looks `depth` levels into it."""
        key = (conjunction.key, depth)
        if key not in self._empty:
            self._empty[key] = self._is_empty(self.facts(conjunction), depth)
        return self._empty[key]

    def _is_empty(self, facts: Facts, depth: int) -> bool:
        if facts.impossible or not facts.types or facts.values == ():
            return True
        if facts.types <= NUMBERS and _crossed(
            facts, ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        ):
            return True
        if facts.types <= {"string"} and _crossed(facts, ("minLength", "", "maxLength", "")):
            return True
        if facts.types <= {"array"} and facts.least("minItems")[0] > facts.most_items:
            return True
        if not depth:
            return False
        if facts.types <= {"object"} and any(
            self.empty(facts.member(name), depth - 1) for name in sorted(facts.required)
        ):
            return True
        return any(
            all(self.empty(facts.conjunction.with_branch(choice, branch), depth - 1) for branch in choice[1])
            for choice in facts.choices[:1]
        )


def _crossed(facts: Facts, keywords: tuple[str, str, str, str]) -> bool:
    least, least_out = facts.least(*keywords[:2])
    greatest, greatest_out = facts.greatest(*keywords[2:])
    return least > greatest or (least == greatest and (least_out or greatest_out))


def _undecided(subject: str, wide: Part, facts: Facts) -> Difference:
    """Nothing is decided where a schema refers to itself about the same value, or where there is too much."""
    return Difference(
        subject=subject,
        wide_says="undecided",
        narrow_says="undecided",
        wide=wide.node,
        narrow=facts.place,
        certainty="maybe",
    )


def _all_accepted(wide: Part, facts: Facts) -> bool:
    """Where the narrower schema lists its values, they are simply tried."""
    if facts.values is None or wide.made:
        return False
    try:
        values = [value for value in facts.values if all(part.accepts(value) for part in facts.parts)]
        return all(wide.accepts(value) for value in values)
    except (ValueError, jsonschema_rs.ReferencingError):
        return False


def contains(wide: Part, narrow: Part) -> tuple[Difference, ...]:
    """Why a value of `narrow` may not be one of `wide`; empty where every value is."""
    return Containment().contains(wide, Conjunction(parts=(narrow,)))
