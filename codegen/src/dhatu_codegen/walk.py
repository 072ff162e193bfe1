"""Through a document, telling its structure from the values and names that it holds.

Below `example` or `const` a key such as `$ref` is data; below `properties` or `responses` it is a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .document import Node
from .path_item import ADDITIONAL

_VALUES: Final = frozenset({"example", "value", "const", "enum", "default", "x-dhatu"})
_NAMES: Final = frozenset(
    {
        *(
            "paths",
            "webhooks",
            "callbacks",
            "responses",
            "content",
            "headers",
            "encoding",
            "links",
            "variables",
            ADDITIONAL,
        ),
        *("schemas", "parameters", "requestBodies", "examples", "securitySchemes", "pathItems", "mapping"),
        *("properties", "patternProperties", "dependentSchemas", "$defs"),
    }
)
"""Objects whose keys somebody chose."""


def structure(root: Node) -> Iterator[Node]:
    """Every object that is neither a value nor a set of names; one that YAML aliases share comes once."""
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, holds_names = stack.pop()
        if not isinstance(node.value, (dict, list)) or id(node.value) in seen:
            continue
        seen.add(id(node.value))
        if isinstance(node.value, dict) and not holds_names:
            yield node
        for key, member in node.members():
            if holds_names:
                stack.append((member, False))
            elif key == "examples" and isinstance(member.value, list):
                continue  # of a schema, where they are values
            elif key not in _VALUES:
                stack.append((member, key in _NAMES and isinstance(member.value, dict)))
        stack += [(element, False) for element in node.elements()]
