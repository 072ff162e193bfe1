"""What a query consists of: a closed set of frozen nodes (RFC 9535, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ..ir.schema import Json

Operator: TypeAlias = Literal["==", "!=", "<=", ">=", "<", ">"]
Type: TypeAlias = Literal["value", "logical", "nodes"]
"""The types of function parameters and results (2.4.1)."""


@dataclass(frozen=True, slots=True)
class Name:
    """The member of an object with this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Every child."""


@dataclass(frozen=True, slots=True)
class Index:
    """The element at this index; from the end where it is negative."""

    index: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Elements from `start` up to and without `end`, every `step`-th."""

    start: int | None
    end: int | None
    step: int


@dataclass(frozen=True, slots=True)
class Filter:
    """The children for which an expression holds."""

    condition: Condition


Selector: TypeAlias = Name | Wildcard | Index | Slice | Filter


@dataclass(frozen=True, slots=True)
class Segment:
    """What is selected among the children, or among all descendants and the node itself."""

    selectors: tuple[Selector, ...]
    descendant: bool


@dataclass(frozen=True, slots=True)
class Query:
    """Segments from the root (`$`) or, inside a filter, from the child at hand (`@`)."""

    segments: tuple[Segment, ...]
    absolute: bool

    @property
    def singular(self) -> bool:
        """Whether it selects one node at most, whatever the value (2.3.5.1)."""
        return all(
            not segment.descendant
            and len(segment.selectors) == 1
            and isinstance(segment.selectors[0], Name | Index)
            for segment in self.segments
        )


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Json


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to arguments of the right types."""

    function: str
    arguments: tuple[Operand, ...]


Operand: TypeAlias = Constant | Query | Call


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values, compared (2.3.5.2.2)."""

    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True)
class Test:
    """A query that selects something, or a function that holds."""

    of: Query | Call


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Conditions joined by `&&`."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions joined by `||`."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Test | Not | All | AnyOf


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives."""

    parameters: tuple[Type, ...]
    result: Type


FUNCTIONS: Final[dict[str, Signature]] = {
    "length": Signature(("value",), "value"),
    "count": Signature(("nodes",), "value"),
    "match": Signature(("value", "value"), "logical"),
    "search": Signature(("value", "value"), "logical"),
    "value": Signature(("nodes",), "value"),
}
"""The functions of section 2.4."""
