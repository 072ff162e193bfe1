"""A name of its own for every operation of a document that nobody named for an SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, count
from typing import Final

from ..diagnostics import Diagnostics, Related
from ..document import Map, Node, Seq
from ..ir.name import Name
from ..ir.source import SourceRef
from ..merge import EXTENSION
from ..naming import snake
from ..path_item import operations

VARIABLE: Final = re.compile(r"\{([^{}]+)\}")
"""In the template of a path."""


def name_operations(document: Map, diagnostics: Diagnostics) -> None:
    """Write `x-dhatu.sdk` of every operation: resource from its first tag, method from its operationId.

    Variables of the path may be passed by position where nothing else is said.
    Without an operationId, or where the name is taken, the method is made of HTTP method and path, and
    numbered as a last resort; whoever comes first in the document keeps the shorter name. Tags that differ
    only in how they are written make one resource.
    """
    found = list(_operations(document))
    resources: dict[str, str] = {}
    for operation in found:
        if operation.tag:
            resources.setdefault(snake(Name.of(operation.tag)), operation.tag)
    taken: dict[tuple[str, str], SourceRef] = {}
    for operation in found:
        resource = snake(Name.of(operation.tag)) if operation.tag else ""
        given = operation.choose(resource, taken, {*resources} if not resource else set())
        first = taken.get((resource, snake(Name.of(operation.wanted))))
        if given != operation.wanted:
            related = [Related(message="stands here first", source=first)] if first else []
            key = ".".join(part for part in (resource, snake(Name.of(given))) if part)
            message = f"{operation.route} is named {key}, since its own name is taken"
            diagnostics.add("DH052", message, operation.node.source, related=related)
        taken[resource, snake(Name.of(given))] = operation.node.source
        operation.write(resources.get(resource, ""), given)


class _Named:
    """An operation, and what it would like to be called."""

    def __init__(self, route: tuple[str, str], node: Node, value: Map) -> None:
        method, path = route
        tags = node.texts("tags")
        extension = node.get(EXTENSION)
        sdk = extension.get("sdk") if extension else None
        self.node = node
        self.route = f"{method} {path}"
        self.tag = sdk.text("resource", tags[0] if tags else "") if sdk else tags[0] if tags else ""
        self._long = f"{method.lower()} {path}"
        identifier = node.text("operationId") or self._long
        self.wanted = sdk.text("method", identifier) if sdk else identifier
        self._value = value

    def choose(self, resource: str, taken: dict[tuple[str, str], SourceRef], others: set[str]) -> str:
        """The first of its names that is free in its resource, and no other's name."""
        numbered = (f"{self._long} {number}" for number in count(2))
        for name in chain((self.wanted, self._long), numbered):
            if (resource, snake(Name.of(name))) not in taken and snake(Name.of(name)) not in others:
                return name
        raise AssertionError("the numbers do not end")

    def write(self, resource: str, method: str) -> None:
        before = self._value.get(EXTENSION)
        extension, sdk = Map(self.node.place), Map(self.node.place)
        if isinstance(before, Map):
            for key in before:
                extension.take(before, key)
            known = before.get("sdk")
            for key in known if isinstance(known, Map) else ():
                if isinstance(known, Map):
                    sdk.take(known, key)
        if "positional" not in sdk:
            sdk.put("positional", self._variables())
        sdk.put("resource", resource)
        sdk.put("method", method)
        extension.put("sdk", sdk)
        self._value.put(EXTENSION, extension)

    def _variables(self) -> Seq:
        """The variables of the path, in its order: what a caller names first."""
        found = Seq(self.node.place)
        for name in dict.fromkeys(VARIABLE.findall(self.route)):
            found.put(name, self.node.place)
        return found


def _operations(document: Map) -> Iterator[_Named]:
    paths = Node.of(document).get("paths")
    for path, item in paths.members() if paths else ():
        for method, node in operations(item):
            if isinstance(node.value, Map):
                yield _Named((method, path), node, node.value)
