"""The gateway's table as one file, which a running gateway takes without a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from ...document import Node, plain
from ...ir.api import Api
from ...ir.operation import Operation
from ...ir.schema import Json
from ...pointer import escape, of_reference, tokens
from ..literals import Call, Literal
from .view import in_order, platform, route

FORMAT: Final = 1
"""Raised with every change that a gateway of today would not understand."""


def table_lines(api: Api) -> Iterator[str]:
    """One JSON value per line: the platform, then every route with its part of the document."""
    yield _line({"format": FORMAT, "platform": _plain(platform(api))})
    for operation in in_order(api):
        yield _line({"route": _plain(route(operation, api)), "document": _document(operation, api)})


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Literal) -> Json:
    match value:
        case Call():
            return {name: _plain(field) for name, field in value.fields}
        case tuple():
            return [_plain(element) for element in value]
        case str() | int() | float() | None:
            return value
        case _:
            raise TypeError(f"{value!r} cannot be written as JSON")


def _document(operation: Operation, api: Api) -> Json:
    """The operation, the parameters of its path, and all that these refer to, at their places."""
    root = Node.of(api.document)
    kept: dict[str, Json] = {}
    waiting = [
        _whole(f"/paths/{escape(operation.path)}/{name}") for name in ("parameters", operation.method.lower())
    ]
    seen: set[str] = set()
    while waiting:
        pointer = waiting.pop()
        node = None if pointer in seen else root.at(pointer)
        seen.add(pointer)
        if node is not None:
            _put(kept, tokens(pointer), plain(node.value))
            waiting += map(_whole, _references(node))
    return kept


def _whole(pointer: str) -> str:
    """The component or operation that a pointer leads into."""
    return "/".join(pointer.split("/")[:4])


def _references(start: Node) -> Iterator[str]:
    nodes = [start]
    while nodes:
        node = nodes.pop()
        reference = node.text("$ref")
        pointer = of_reference(reference) if reference else None
        if pointer:
            yield pointer
        nodes += [member for _, member in node.members()]
        nodes += node.elements()


def _put(into: dict[str, Json], path: tuple[str, ...], value: Json) -> None:
    for parent in path[:-1]:
        found = into.setdefault(parent, {})
        assert isinstance(found, dict), f"{parent} is no object, but something in it is referred to"
        into = found
    into[path[-1]] = value
