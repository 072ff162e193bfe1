"""Names as JavaScript spells them."""

from __future__ import annotations

from dhatu_codegen.ir.name import Name
from dhatu_codegen.targets.typescript.identifiers import method_name


def method_of(wire: str) -> str:
    """What the method of an operation is called."""
    return method_name(Name.of(wire))
