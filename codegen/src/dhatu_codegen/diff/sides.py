"""The two documents side by side, and the operations that are the same in both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map, Node
from ..ir.api import Api
from ..ir.operation import Operation
from ..parse.context import Context
from ..parse.document import parse
from ..path_item import operations
from .change import Change
from .schema.contain import Containment
from .schema.side import Side

_HOLE: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A method on a path, a webhook or a callback, as it stands in one document."""

    path: str
    method: str
    """Upper case."""
    item: Node
    node: Node
    operation: Operation | None
    """Its IR; None for a webhook or a callback."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class Half:
    """One of the two documents, read for comparison."""

    def __init__(self, document: Map) -> None:
        self.root: Final = Node.of(document)
        self.api: Final[Api] = parse(document, Diagnostics())
        self.side: Final = Side(document)
        self._context: Final = Context(root=self.root, diagnostics=Diagnostics())
        known = {(one.method, one.path): one for one in self.api.operations}
        self.endpoints: Final = {
            (endpoint.method, shape(endpoint.path)): endpoint
            for endpoint in self._listed(self.root.get("paths"), known)
        }
        self.webhooks: Final = {
            (endpoint.method, endpoint.path): endpoint
            for endpoint in self._listed(self.root.get("webhooks"), {})
        }

    def follow(self, node: Node) -> Node:
        """What a `$ref` of anything but a schema leads to."""
        return self._context.follow(node)

    def callbacks(self, endpoint: Endpoint) -> dict[tuple[str, str], Endpoint]:
        """What an operation calls back, by callback, expression and method."""
        found: dict[tuple[str, str], Endpoint] = {}
        callbacks = endpoint.node.get("callbacks")
        for name, written in callbacks.members() if callbacks else ():
            for callback in self._listed(self.follow(written), {}):
                found[f"{callback.method} {name}", callback.path] = callback
        return found

    def _listed(self, items: Node | None, known: dict[tuple[str, str], Operation]) -> Iterator[Endpoint]:
        for path, written in items.members() if items else ():
            item = self.follow(written)
            for method, node in operations(item):
                operation = known.get((method, path))
                yield Endpoint(path=path, method=method, item=item, node=node, operation=operation)


def shape(path: str) -> str:
    """A path without the names of its parameters, which the wire never carries.

    >>> shape("/a/{id}/b")
    '/a/{}/b'
    """
    return _HOLE.sub("{}", path)


def path_parameters(path: str) -> list[str]:
    """The names in a path template, in order.

    >>> path_parameters("/a/{id}/b/{n}")
    ['id', 'n']
    """
    return [hole[1:-1] for hole in _HOLE.findall(path)]


class Comparison:
    """Both documents, and what has been found between them."""

    def __init__(self, old: Half, new: Half, today: date) -> None:
        self.old: Final = old
        self.new: Final = new
        self.today: Final = today
        self.containment: Final = Containment()
        self.changes: Final[list[Change]] = []

    def add(self, code: str, where: str, text: str, nodes: tuple[Node | None, Node | None]) -> None:
        """Add a change; `nodes` are its places in the old and the new document."""
        old, new = nodes
        self.changes.append(
            Change(
                code=code,
                where=where,
                text=text,
                old=old.source if old else None,
                new=new.source if new else None,
            )
        )

    @property
    def pairs(self) -> Iterator[tuple[Endpoint, Endpoint]]:
        """The operations that both documents have."""
        for key, endpoint in self.old.endpoints.items():
            if key in self.new.endpoints:
                yield endpoint, self.new.endpoints[key]

    @property
    def operations(self) -> Iterator[tuple[Endpoint, Operation, Endpoint, Operation]]:
        """The same with their IR: (old, its operation, new, its operation)."""
        for old, new in self.pairs:
            if old.operation is not None and new.operation is not None:
                yield old, old.operation, new, new.operation
