"""A document made ready for rules: every object with what it is, every operation with what it inherits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..diagnostics import Related
from ..document import Node
from ..ir.schema import Json
from ..ir.source import SourceRef
from ..openapi_types import inner
from ..path_item import operations
from ..pointer import of_reference

_LONGEST_CHAIN: Final = 32
"""References that lead to references; a longer chain is a circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule has to say about one place."""

    message: str
    source: SourceRef
    hint: str = ""
    related: tuple[Related, ...] = ()


Findings: TypeAlias = Iterator[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operation as it is called: references followed, what its path and document say filled in."""

    name: str
    """Its operationId, or method and path."""
    method: str
    """Upper case."""
    path: str
    node: Node
    parameters: tuple[Node, ...]
    bodies: tuple[tuple[str, Node], ...]
    """(media type, media type object) of the request."""
    responses: tuple[tuple[str, Node], ...]
    """(status, response)."""


class Survey:
    """One document, walked once."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self.root = Node.of(document)
        self.objects = tuple(_walk(self.root))
        """(what it is, as in `openapi_types`; node) of every object, in no particular order."""
        self.calls = tuple(self._calls())

    def of_kind(self, kind: str) -> Iterator[Node]:
        """Every object of one kind that is written out, not referred to."""
        return (node for found, node in self.objects if found == kind and node.get("$ref") is None)

    def follow(self, node: Node) -> Node:
        """What a reference leads to; the node itself where it is none."""
        for _ in range(_LONGEST_CHAIN):
            pointer = of_reference(node.text("$ref")) if node.get("$ref") else None
            target = self.root.at(pointer) if pointer else None
            if target is None:
                return node
            node = target
        return node

    def request_schemas(self) -> tuple[Node, ...]:
        """Every schema that describes part of a request, each once."""
        starts: list[Node] = []
        for call in self.calls:
            carriers = (*call.parameters, *(media for _, media in call.bodies))
            starts += [schema for carrier in carriers if (schema := carrier.get("schema"))]
        return self.reached(starts)

    def answer_schemas(self) -> tuple[Node, ...]:
        """Every schema that describes part of an answer, each once."""
        carriers = [
            carrier
            for call in self.calls
            for _, response in call.responses
            for _, carrier in members(response, "content")
        ]
        return self.reached([schema for carrier in carriers if (schema := carrier.get("schema"))])

    def reached(self, schemas: list[Node]) -> tuple[Node, ...]:
        """These schemas and those that they are made of, references followed, each once."""
        seen: dict[str, Node] = {}
        stack = schemas[::-1]
        while stack:
            node = self.follow(stack.pop())
            if node.pointer not in seen:
                seen[node.pointer] = node
                stack += [member for _, member in inner(node, "schemas")]
        return tuple(seen.values())

    def _calls(self) -> Iterator[Call]:
        for path, written in members(self.root, "paths"):
            item = self.follow(written)
            for method, node in operations(item):
                body = node.get("requestBody")
                yield Call(
                    name=node.text("operationId") or f"{method} {path}",
                    method=method,
                    path=path,
                    node=node,
                    parameters=self._parameters(item, node),
                    bodies=members(self.follow(body), "content") if body else (),
                    responses=tuple(
                        (status, self.follow(answer)) for status, answer in members(node, "responses")
                    ),
                )

    def _parameters(self, item: Node, operation: Node) -> tuple[Node, ...]:
        found: dict[tuple[str, str], Node] = {}
        for level in (item, operation):
            listed = level.get("parameters")
            for written in listed.elements() if listed else ():
                parameter = self.follow(written)
                found[parameter.text("in"), parameter.text("name")] = parameter
        return tuple(found.values())


def types(schema: Node) -> tuple[str, ...]:
    """The values of `type`, one or several."""
    return (schema.text("type"),) if schema.text("type") else schema.texts("type")


def members(node: Node, key: str) -> tuple[tuple[str, Node], ...]:
    """(name, node) of everything in the object `key` of a node; extensions are left out."""
    holder = node.get(key)
    return tuple((name, item) for name, item in holder.members() if name[:2] != "x-") if holder else ()


def _walk(root: Node) -> Iterator[tuple[str, Node]]:
    seen: set[int] = set()
    stack = [("document", root)]
    while stack:
        kind, node = stack.pop()
        if id(node.value) not in seen:
            seen.add(id(node.value))
            yield kind, node
            stack += inner(node, kind)
