"""Path items that one or several services own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..document import Map, Node, Seq
from ..ir.schema import Json
from ..path_item import ADDITIONAL, METHODS
from .service import EXTENSION, Service

_OF_OPERATIONS: Final = frozenset({*METHODS, ADDITIONAL, EXTENSION})
"""What a path item says for its operations, one by one or by inheritance; the rest holds for all of them."""


def path_item(service: Service, written: Node) -> Node:
    """The path item itself, or what its `$ref` leads to with what stands beside the `$ref` laid over it."""
    target = service.followed(written)
    if target.value is written.value or not isinstance(target.value, Map):
        return written
    item = Map(target.value.source)
    for source in (target.value, written.value):
        for key in source if isinstance(source, Map) else ():
            if key != "$ref" and isinstance(source, Map):
                item.take(source, key)
    return Node(value=item, pointer=target.pointer, source=written.source, place=target.place)


def common_keys(item: Map) -> list[str]:
    """What a path item says for all its operations."""
    return [key for key in item if key not in _OF_OPERATIONS]


def shared_paths(services: Sequence[Service]) -> dict[str, list[tuple[Service, Map]]]:
    """Every path that several services own, with the path item of each."""
    owners: dict[str, list[tuple[Service, Map]]] = {}
    for service in services:
        paths = service.root.get("paths")
        for path, written in paths.members() if paths else ():
            item = path_item(service, written).value
            if isinstance(item, Map):
                owners.setdefault(path, []).append((service, item))
    return {path: listed for path, listed in owners.items() if len(listed) > 1}


def with_common(service: Service, operation: Map, item: Map, keys: frozenset[str]) -> list[str]:
    """Give an operation what its path says under these keys; the keys of what it says otherwise itself.

    Its own parameters stay first, so that references to them by number still lead there.
    """
    overruled: list[str] = []
    for key in common_keys(item):
        if key not in keys:
            continue
        if key == "parameters":
            listed, own, common = Seq(operation.source), operation.get(key), item[key]
            if isinstance(own, Seq):
                for value, place in zip(own, own.places, strict=True):
                    listed.put(value, place)
            if isinstance(common, Seq):
                for index in remaining_parameters(service, operation, item):
                    listed.put(common[index], common.places[index])
            operation.put(key, listed, item.places[key])
        elif key not in operation:
            operation.take(item, key)
        elif key != "servers":
            overruled.append(key)
    return overruled


def remaining_parameters(service: Service, operation: Map, item: Map) -> list[int]:
    """Which parameters of a path an operation does not replace by its own (OpenAPI 3.1.1, 4.8.10)."""
    own, common = operation.get("parameters"), item.get("parameters")
    replaced = {_identity(service, each) for each in (own if isinstance(own, list) else ())}
    listed = common if isinstance(common, list) else []
    return [index for index, each in enumerate(listed) if _identity(service, each) not in replaced]


def _identity(service: Service, parameter: Json) -> tuple[Json, Json]:
    followed = service.followed(Node.of(parameter)).value if isinstance(parameter, Map) else None
    return (followed.get("name"), followed.get("in")) if isinstance(followed, dict) else (None, None)
