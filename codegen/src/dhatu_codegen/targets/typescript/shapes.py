"""`shapes.ts`: what the components that answers hold are checked against."""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.schema import Schema
from ..base import HEADER
from .components import Components


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeExpression:
    """The shape of a schema."""

    text: str
    factories: frozenset[str]
    """What it needs of the runtime's module of shapes: `array`, `string`."""


def shape_of(components: Components, schema: Schema, prefix: str = "") -> ShapeExpression:
    """A schema as a shape: `array(shapes.Document)` with the prefix `shapes.`.

    It may have several lines, which are not indented; calls are annotated as pure. `anything` says that
    nothing is to be checked.
    """
    return ShapeExpression(text="anything", factories=frozenset({"anything"}))


def render_shapes(components: Components) -> str:
    """The text of `shapes.ts`."""
    return f"// {HEADER}\n"
