"""Documents as text, and what the upgrade makes of them."""

from __future__ import annotations

from textwrap import dedent

from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Map, Node
from dhatu_codegen.ir.schema import Json
from dhatu_codegen.reading.read_yaml import read_yaml
from dhatu_codegen.upgrade import upgrade


class Upgraded:
    """A document after the upgrade, and what it had to say."""

    def __init__(self, version: str, text: str) -> None:
        diagnostics = Diagnostics()
        read = read_yaml(f"openapi: {version}\n{dedent(text)}", "a.yaml", diagnostics)
        assert isinstance(read, Map)
        assert not diagnostics.errors
        self.before = read
        self.document = upgrade(read, diagnostics)
        self.found = [(item.code, str(item.source)) for item in diagnostics.all]

    def node(self, pointer: str) -> Node:
        found = Node.of(self.document).at(pointer)
        assert found is not None, pointer
        return found

    def at(self, pointer: str) -> Json:
        return self.node(pointer).value


def schema(text: str) -> Upgraded:
    """A 3.0 document whose line 4 is a schema in flow style."""
    return Upgraded("3.0.3", f"components:\n  schemas:\n    A: {text}\n    Other: {{type: object}}\n")
