"""`types.ts`: an interface for each component that is an object, an alias for any other."""

from __future__ import annotations

from ...ir.schema import Schema
from ..base import HEADER
from .components import Components, Side


def type_of(components: Components, schema: Schema, side: Side, prefix: str = "") -> str:
    """A schema as a type expression: `types.Document[] | null` with the prefix `types.`.

    It may have several lines, which are not indented, and is to be put in parentheses before `[]`.
    """
    return "unknown"


def render_types(components: Components) -> str:
    """The text of `types.ts`."""
    return f"// {HEADER}\n"
