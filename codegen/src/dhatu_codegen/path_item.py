"""The operations of a path item, those with a method that OpenAPI 3.1 has no key for included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .document import Node

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that are methods."""

ADDITIONAL: Final = "x-oai-additionalOperations"
"""Where the upgrade puts the methods of OpenAPI 3.2: an object of operations by method, as it is sent."""


def operations(item: Node) -> Iterator[tuple[str, Node]]:
    """(method in upper case, operation), in document order."""
    for key, member in item.members():
        if key in METHODS:
            yield key.upper(), member
        elif key == ADDITIONAL:
            yield from member.members()
