"""The document of one service: what platform.yaml calls it, and ways to look things up in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map, Node
from ..ir.schema import Json
from ..pointer import of_reference, tokens
from ..upgrade.rewriter import Rewriter

EXTENSION: Final = "x-dhatu"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDocument:
    """The document of one service, under the name that platform.yaml gives it."""

    name: str
    document: Map


class Service:
    """A service whose operations say for themselves what they inherited from the root of its document."""

    def __init__(self, name: str, document: Map) -> None:
        self.name = name
        self.document = document
        self.root = Node.of(document)

    def at(self, reference: Json) -> Node | None:
        """What a reference within the document leads to."""
        pointer = of_reference(reference) if isinstance(reference, str) else None
        return self.root.at(pointer) if pointer is not None else None

    def followed(self, node: Node) -> Node:
        """What a chain of `$ref` leads to, under the node's own place."""
        seen: set[str] = set()
        target = node
        while (reference := target.text("$ref")) and reference not in seen:
            seen.add(reference)
            ahead = self.at(reference)
            if ahead is None:
                break
            target = ahead
        return target.written_at(node.source) if seen else node

    @cached_property
    def components(self) -> dict[tuple[str, str], Node]:
        """(kind, name): the component."""
        groups = self.root.get("components")
        return {
            (kind, name): member
            for kind, group in (groups.members() if groups else ())
            if not kind.startswith("x-")
            for name, member in group.members()
        }

    @cached_property
    def schema_names(self) -> dict[int, str]:
        """Identity of the value of a schema component: its name."""
        return {id(node.value): name for (kind, name), node in self.components.items() if kind == "schemas"}

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Schema component: those that name it in their `allOf`, by name."""
        found: dict[str, list[str]] = {}
        for (kind, name), node in sorted(self.components.items(), key=lambda item: item[0]):
            parts = node.get("allOf") if kind == "schemas" else None
            for part in parts.elements() if parts else ():
                parent = schema_component(part.text("$ref"))
                if parent:
                    found.setdefault(parent, []).append(name)
        return found


def schema_component(reference: Json) -> str:
    """The schema component that a `$ref` names; empty where it leads elsewhere."""
    pointer = of_reference(reference) if isinstance(reference, str) else None
    match tokens(pointer) if pointer else ():
        case ("components", "schemas", name):
            return name
        case _:
            return ""


def implied_values(service: Service, schema: Map, name: str) -> list[str]:
    """The values that a discriminator has unsaid (OpenAPI 3.1.1, 4.8.25.4): names of components.

    Those that `oneOf` or `anyOf` lists, else those whose `allOf` names this schema, the component `name`.
    """
    found: list[str] = []
    for keyword in ("oneOf", "anyOf"):
        listed = schema.get(keyword)
        for element in listed if isinstance(listed, list) else ():
            component = schema_component(element.get("$ref")) if isinstance(element, dict) else ""
            if component:
                found.append(component)
    return found or service.children.get(name, [])


def settled(service: ServiceDocument) -> Service:
    """A copy in which every operation has the security that it inherits from the root (OpenAPI 3.1.1, 4.8.1).

    Those of webhooks and callbacks too: the merged document has no root to inherit from.
    """
    document = service.document
    if "security" not in document:
        return Service(service.name, document)

    def inherit(operation: Map, _: Rewriter) -> None:
        if "security" not in operation:
            operation.take(document, "security")

    return Service(service.name, Rewriter(document, {"operation": (inherit,)}, Diagnostics()).document())
