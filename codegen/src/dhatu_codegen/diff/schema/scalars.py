"""Containment by the keywords of single values: type, enum, bounds, lengths, pattern, format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ...document import Node
from ...ir.schema import Json
from .difference import Certainty, Difference
from .engine import Engine
from .facts import NUMBERS, Facts, canonical, types_of
from .side import Part

_ASSERTED: Final = frozenset(
    {
        *("date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname"),
        *("ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template"),
        *("json-pointer", "relative-json-pointer", "regex"),
    }
)
"""JSON Schema 2020-12, validation, section 7.3. Any other format is a hint to generators."""

_WIDER_FORMATS: Final = {
    "email": {"idn-email"},
    "hostname": {"idn-hostname"},
    "uri": {"uri-reference", "iri", "iri-reference"},
    "iri": {"iri-reference"},
    "uri-reference": {"iri-reference"},
    "int32": {"int64"},
    "float": {"double"},
}


def differs(
    wide: Part, facts: Facts, keyword: str, says: tuple[Json, Json], certainty: Certainty = "sure"
) -> Difference:
    """A difference at a keyword; `says` is what the wider and the narrower schema have there."""
    narrow = next((found for part in facts.having(keyword) if (found := part.node.get(keyword))), None)
    return Difference(
        subject=keyword,
        wide_says=shown(says[0]),
        narrow_says=shown(says[1]),
        wide=wide.node.get(keyword) or wide.node,
        narrow=narrow or facts.place,
        certainty=certainty,
    )


def shown(value: Json) -> str:
    """A value as a message shows it; None stands for no such keyword."""
    if value is None:
        return "absent"
    return value if isinstance(value, str) else canonical(value)


def of_type(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """Every type of the narrower schema is one of the wider."""
    allowed = types_of(wide)
    if facts.types <= allowed:
        return []
    says = (" or ".join(_names(allowed)), " or ".join(_names(facts.types)))
    return [differs(wide, facts, "type", says)]


def _names(types: frozenset[str]) -> list[str]:
    named = types - NUMBERS | ({"number"} if "fraction" in types else types & {"integer"})
    return sorted(named)


def of_enum(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """Every value of the narrower schema is listed in the wider."""
    found: list[Difference] = []
    for keyword in ("const", "enum"):
        if not isinstance(wide.node.value, dict) or keyword not in wide.node.value:
            continue
        value = wide.node.value[keyword]
        listed = [value] if keyword == "const" or not isinstance(value, list) else value
        allowed = {canonical(member) for member in listed}
        if facts.values is None:
            found.append(_values(wide, facts, keyword, (_few(listed), "any value"), "sure"))
            continue
        more = [member for member in facts.values if canonical(member) not in allowed]
        if more:
            says = (f"without {_few(more)}", f"with {_few(more)}")
            found.append(_values(wide, facts, keyword, says, "enum"))
    return found


def _values(
    wide: Part, facts: Facts, keyword: str, says: tuple[str, str], certainty: Certainty
) -> Difference:
    at: Node | None = None
    for written in ("enum", "const"):
        at = at or next((part.node.get(written) for part in facts.having(written)), None)
    return Difference(
        subject="values",
        wide_says=says[0],
        narrow_says=says[1],
        wide=wide.node.get(keyword) or wide.node,
        narrow=at or facts.place,
        certainty=certainty,
    )


def _few(values: list[Json], most: int = 5) -> str:
    listed = ", ".join(canonical(value) for value in values[:most])
    return f"{listed} and {len(values) - most} more" if len(values) > most else listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A keyword that bounds a quantity from one side."""

    keyword: str
    exclusive: str = ""
    """The keyword that excludes the bound itself; empty where there is none."""
    lower: bool
    types: frozenset[str]
    whole: bool = False
    """The quantity is a count."""


_STRING: Final = frozenset({"string"})
_ARRAY: Final = frozenset({"array"})
BOUNDS: Final = (
    Bound(keyword="minimum", exclusive="exclusiveMinimum", lower=True, types=NUMBERS),
    Bound(keyword="maximum", exclusive="exclusiveMaximum", lower=False, types=NUMBERS),
    Bound(keyword="minLength", lower=True, types=_STRING, whole=True),
    Bound(keyword="maxLength", lower=False, types=_STRING, whole=True),
    Bound(keyword="minItems", lower=True, types=_ARRAY, whole=True),
)
"""maxItems and the number of properties depend on more than their keyword."""


def of_bounds(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """Whatever the wider schema bounds, the narrower bounds as strictly."""
    return [
        differs(wide, facts, keyword, (wide.value(keyword), _own(facts, bound, keyword)))
        for bound in BOUNDS
        if facts.types & bound.types
        for keyword in (bound.keyword, bound.exclusive)
        if keyword and wide.number(keyword) is not None and not _bounded(wide, facts, bound, keyword)
    ]


def _bounded(wide: Part, facts: Facts, bound: Bound, keyword: str) -> bool:
    limit, out = wide.number(keyword), keyword == bound.exclusive
    if limit is None or (bound.whole and bound.lower and limit <= 0):
        return True
    known = facts.least if bound.lower else facts.greatest
    own, own_out = known(bound.keyword, bound.exclusive)
    if facts.types & bound.types <= {"integer"}:
        limit, out = _whole(limit, out, bound.lower), False
        own, own_out = _whole(own, own_out, bound.lower), False
    if own == limit:
        return own_out or not out
    return own > limit if bound.lower else own < limit


def _whole(limit: float, out: bool, lower: bool) -> float:
    """The first integer inside a bound."""
    if not math.isfinite(limit):
        return limit
    if lower:
        return math.floor(limit) + 1 if out else math.ceil(limit)
    return math.ceil(limit) - 1 if out else math.floor(limit)


def _own(facts: Facts, bound: Bound, keyword: str) -> Json:
    """The strictest bound of the narrower schema, under whichever of its two keywords."""
    limit, out = (facts.least if bound.lower else facts.greatest)(bound.keyword, bound.exclusive)
    if not math.isfinite(limit):
        return None
    written = bound.exclusive if out else bound.keyword
    return limit if written == keyword else f"{written} {canonical(limit)}"


def of_multiple(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """multipleOf: the narrower schema's step is a multiple of the wider's."""
    step = wide.number("multipleOf")
    if step is None or not facts.types & NUMBERS or step <= 0:
        return []
    steps = [part.number("multipleOf") for part in facts.having("multipleOf")]
    known = [Fraction(str(own)) for own in steps if own is not None]
    if facts.types & NUMBERS <= {"integer"}:
        known.append(Fraction(1))
    if any((own / Fraction(str(step))).denominator == 1 for own in known):
        return []
    return [differs(wide, facts, "multipleOf", (step, next((own for own in steps if own), None)))]


def of_pattern(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """pattern: the same text, since whether one regular expression implies another is not asked."""
    pattern = wide.value("pattern")
    if not isinstance(pattern, str) or "string" not in facts.types:
        return []
    own = [text for part in facts.having("pattern") if isinstance(text := part.value("pattern"), str)]
    if pattern in own:
        return []
    certainty: Certainty = "maybe" if own else "sure"
    return [differs(wide, facts, "pattern", (pattern, own[0] if own else None), certainty)]


def of_format(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """format: the same, or one whose values all have it."""
    wanted = wide.value("format")
    if not isinstance(wanted, str) or not facts.types & (NUMBERS | {"string"}):
        return []
    own = [text for part in facts.having("format") if isinstance(text := part.value("format"), str)]
    if wanted in own or any(wanted in _WIDER_FORMATS.get(text, ()) for text in own):
        return []
    if wanted in _ASSERTED and "string" not in facts.types:
        return []
    certainty: Certainty = "sure" if wanted in _ASSERTED else "maybe"
    return [differs(wide, facts, "format", (wanted, own[0] if own else None), certainty)]


def of_content(engine: Engine, wide: Part, facts: Facts) -> list[Difference]:
    """contentEncoding and contentMediaType: annotations, but what is in the text changed."""
    found: list[Difference] = []
    for keyword in ("contentEncoding", "contentMediaType"):
        wanted = wide.value(keyword)
        own = [part.value(keyword) for part in facts.having(keyword)]
        if wanted is not None and "string" in facts.types and wanted not in own:
            found.append(differs(wide, facts, keyword, (wanted, own[0] if own else None), "maybe"))
    return found
