"""What is known of a value that satisfies several schemas at once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from ...document import Map, Node
from ...ir.schema import Json
from .conjunction import Choice, Conjunction
from .side import Part

TYPES: Final = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
"""JSON's types, `number` being integers and fractions: then types are plain sets (1.0 is an integer)."""

NUMBERS: Final = frozenset({"integer", "fraction"})


class Facts:
    """The keywords of a conjunction, with `$ref` and `allOf` unfolded."""

    def __init__(self, conjunction: Conjunction) -> None:
        self.conjunction: Final = conjunction
        self.parts: Final[list[Part]] = []
        self.choices: Final[list[Choice]] = []
        self.impossible = False
        self._members: Final[dict[str, Conjunction]] = {}
        seen: set[tuple[int, str]] = set()
        stack = list(reversed(conjunction.parts))
        while stack:
            part = stack.pop()
            if part.key in seen:
                continue
            seen.add(part.key)
            if part.node.value is False:
                self.impossible = True
            if not isinstance(part.node.value, dict):
                continue
            self.parts.append(part)
            target = part.side.follow(part) if "$ref" in part.node.value else None
            stack += [target] if target else []
            stack += part.listed("allOf")
            for keyword in ("anyOf", "oneOf"):
                branches = part.listed(keyword)
                identity = (*part.key, keyword)
                if len(branches) == 1:
                    stack.append(branches[0])
                elif branches and identity not in conjunction.decided:
                    self.choices.append((identity, branches))

    @property
    def place(self) -> Node:
        """The node to name where no keyword of it matters: what a `$ref` leads to, wherever it is used."""
        if not self.conjunction.parts:
            return Node.of({})
        part = self.conjunction.parts[0]
        for _ in self.parts:
            part = (part.side.follow(part) if part.value("$ref") else None) or part
        return part.node

    @property
    def refused(self) -> tuple[Part, ...]:
        """Schemas that the value does not satisfy."""
        written = tuple(schema for part in self.having("not") if (schema := part.get("not")) is not None)
        return (*self.conjunction.excluded, *written)

    def having(self, keyword: str) -> Iterator[Part]:
        """The parts that have a keyword."""
        return (
            part for part in self.parts if isinstance(part.node.value, dict) and keyword in part.node.value
        )

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that a value may have."""
        types = TYPES
        for part in self.having("type"):
            types &= types_of(part)
        values = self._listed
        return types if values is None else types & {type_of(value) for value in values}

    @cached_property
    def values(self) -> tuple[Json, ...] | None:
        """All values, where there is a list of them."""
        listed = self._listed
        if listed is None and self.types <= {"null", "boolean"}:
            listed = [value for name, value in _FEW if name in self.types]
        if listed is None:
            return None
        return tuple(value for value in listed if type_of(value) in self.types)

    @cached_property
    def _listed(self) -> list[Json] | None:
        found: list[Json] | None = None
        for part in self.parts:
            for keyword in ("const", "enum"):
                if not isinstance(part.node.value, dict) or keyword not in part.node.value:
                    continue
                value = part.node.value[keyword]
                values = [value] if keyword == "const" else value if isinstance(value, list) else []
                allowed = {canonical(member) for member in values}
                found = [
                    member for member in (values if found is None else found) if canonical(member) in allowed
                ]
        return found

    def least(self, keyword: str, exclusive: str = "") -> tuple[float, bool]:
        """The strictest lower bound, and whether it is out itself; minus infinity where there is none."""
        bounds = [(part.number(keyword), False) for part in self.having(keyword)]
        bounds += [(part.number(exclusive), True) for part in self.having(exclusive)] if exclusive else []
        return max(((bound, out) for bound, out in bounds if bound is not None), default=(-math.inf, False))

    def greatest(self, keyword: str, exclusive: str = "") -> tuple[float, bool]:
        """The strictest upper bound, and whether it is out itself; infinity where there is none."""
        bounds = [(part.number(keyword), False) for part in self.having(keyword)]
        bounds += [(part.number(exclusive), True) for part in self.having(exclusive)] if exclusive else []
        known = [(bound, out) for bound, out in bounds if bound is not None]
        return min(known, key=lambda bound: (bound[0], not bound[1]), default=(math.inf, False))

    @cached_property
    def required(self) -> frozenset[str]:
        """The members that an object has."""
        found: set[str] = set()
        for part in self.having("required"):
            found |= set(part.node.texts("required"))
        return frozenset(found)

    @cached_property
    def property_names(self) -> tuple[str, ...]:
        """The members that some part speaks of by name."""
        return tuple(
            dict.fromkeys(name for part in self.having("properties") for name in part.named("properties"))
        )

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """The patterns by which some part speaks of members."""
        found = (
            text for part in self.having("patternProperties") for text in part.named("patternProperties")
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def tags(self) -> dict[str, frozenset[str]]:
        """The members that have a list of values, and that list in canonical text."""
        listed = {name: Facts(self.member(name)).values for name in self.property_names}
        return {
            name: frozenset(map(canonical, values)) for name, values in listed.items() if values is not None
        }

    def member(self, name: str) -> Conjunction:
        """What is known of the member `name`; found out once."""
        if name not in self._members:
            self._members[name] = self._member(name)
        return self._members[name]

    def _member(self, name: str) -> Conjunction:
        found: list[Part] = []
        for part in self.parts:
            listed = part.get("properties")
            own = listed.get(name) if listed else None
            patterns = part.named("patternProperties")
            matching = [schema for pattern, schema in patterns.items() if matches(pattern, name)]
            unsure = any(matches(pattern, name) is None for pattern in patterns)
            found += [own] if own else []
            found += matching
            rest = part.get("additionalProperties")
            if rest and not own and not matching and not unsure:
                found.append(rest)
        return Conjunction(parts=tuple(found))

    def under_pattern(self, pattern: str) -> Conjunction:
        """What is known of a member whose name matches a pattern."""
        same = [part.named("patternProperties") for part in self.having("patternProperties")]
        return Conjunction(parts=tuple(named[pattern] for named in same if pattern in named))

    @property
    def other_members(self) -> Conjunction:
        """What is known of a member that no part speaks of."""
        rest = (part.get("additionalProperties") for part in self.parts)
        return Conjunction(parts=tuple(schema for schema in rest if schema))

    @cached_property
    def closed(self) -> bool:
        """Whether an object has no members but those named."""
        return not self.patterns and Facts(self.other_members).impossible

    def item(self, index: int) -> Conjunction:
        """What is known of the item at an index."""
        found: list[Part] = []
        for part in self.parts:
            prefix = part.listed("prefixItems")
            schema = prefix[index] if index < len(prefix) else part.get("items")
            found += [schema] if schema else []
        return Conjunction(parts=tuple(found))

    @cached_property
    def longest_prefix(self) -> int:
        return max((len(part.listed("prefixItems")) for part in self.parts), default=0)

    @cached_property
    def most_items(self) -> float:
        """The largest number of items, `items: false` included."""
        bound = self.greatest("maxItems")[0]
        closed = (
            len(part.listed("prefixItems"))
            for part in self.having("items")
            if isinstance(part.node.value, dict) and part.node.value["items"] is False
        )
        return min([bound, *closed])


_FEW: Final[tuple[tuple[str, Json], ...]] = (("null", None), ("boolean", False), ("boolean", True))


def synthetic(like: Part, keyword: str, value: Json) -> Part:
    """A schema that nobody wrote, with one keyword, at the place of another."""
    node = like.node
    made = Map(node.place)
    made.put(keyword, value)
    pointer = f"{node.pointer}#{keyword}={canonical(value)}"
    schema = Node(value=made, pointer=pointer, source=node.source, place=node.place)
    return Part(side=like.side, node=schema, made=True)


def types_of(part: Part) -> frozenset[str]:
    """The types that the `type` of one schema allows; all where it has none."""
    declared = part.value("type")
    names = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else None
    if names is None:
        return TYPES
    found: set[str] = set()
    for name in names:
        found |= NUMBERS if name == "number" else {str(name)}
    return frozenset(found)


def type_of(value: Json) -> str:
    """The type of a value, as in TYPES."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "fraction"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def canonical(value: Json) -> str:
    """Text that is equal for values that JSON Schema holds for equal: 1 and 1.0, but not 1 and true."""
    return json.dumps(_even(value), sort_keys=True, ensure_ascii=False)


def _even(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _even(member) for key, member in value.items()}
    return [_even(member) for member in value] if isinstance(value, list) else value


def matches(pattern: str, name: str) -> bool | None:
    """Whether a name matches; None where Python cannot read the pattern."""
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return None
