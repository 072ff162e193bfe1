"""What stands where in an OpenAPI 3 document: which object each member of each object is.

An object is called by the section of `components` that may hold it: `schemas`, `responses`, `pathItems`.
A member is one such object, a list of them (`[schemas]`) or objects by name (`{schemas}`); `*` is any
member that is not listed. From the fixed fields of OpenAPI 3.0.4, 3.1.1 and 3.2.0, and JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .document import Map, Node
from .path_item import ADDITIONAL, METHODS

_ANY: Final = "*"
_CARRIER: Final = {"schema": "schemas", "content": "{mediaTypes}", "examples": "{examples}"}
_SECTIONS: Final = (
    *("schemas", "responses", "parameters", "examples", "requestBodies", "headers", "securitySchemes"),
    *("links", "callbacks", "pathItems", "mediaTypes"),
)

MEMBERS: Final[dict[str, dict[str, str]]] = {
    "document": {"paths": "{pathItems}", "webhooks": "{pathItems}", "components": "components"},
    "components": {section: f"{{{section}}}" for section in _SECTIONS},
    "pathItems": {
        "parameters": "[parameters]",
        "query": "operation",
        "additionalOperations": "{operation}",
        ADDITIONAL: "{operation}",
        **dict.fromkeys(METHODS, "operation"),
    },
    "operation": {
        "parameters": "[parameters]",
        "requestBody": "requestBodies",
        "responses": "{responses}",
        "callbacks": "{callbacks}",
    },
    "callbacks": {_ANY: "pathItems"},
    "parameters": _CARRIER,
    "headers": _CARRIER,
    "requestBodies": {"content": "{mediaTypes}"},
    "responses": {"headers": "{headers}", "content": "{mediaTypes}", "links": "{links}"},
    "mediaTypes": {
        "schema": "schemas",
        "itemSchema": "schemas",
        "examples": "{examples}",
        "encoding": "{encoding}",
        "prefixEncoding": "[encoding]",
        "itemEncoding": "encoding",
    },
    "encoding": {
        "headers": "{headers}",
        "encoding": "{encoding}",
        "prefixEncoding": "[encoding]",
        "itemEncoding": "encoding",
    },
    "schemas": {
        **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions"), "{schemas}"),
        "dependentSchemas": "{schemas}",
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "[schemas]"),
        **dict.fromkeys(("items", "contains", "additionalProperties", "propertyNames"), "schemas"),
        **dict.fromkeys(("not", "if", "then", "else", "contentSchema"), "schemas"),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), "schemas"),
    },
}
"""By object, then by member; what is not listed holds no reference."""


def inner(node: Node, kind: str) -> Iterator[tuple[str, Node]]:
    """(what it is, node) of every object that stands right inside one."""
    members = MEMBERS.get(kind, {})
    for key, member in node.members():
        inside = members.get(key) or members.get(_ANY, "")
        if not inside or (key.startswith("x-") and key != ADDITIONAL):
            continue
        if inside[0] == "{":
            yield from ((inside[1:-1], named) for _, named in member.members() if _is_object(named))
        elif inside[0] == "[":
            yield from ((inside[1:-1], element) for element in member.elements() if _is_object(element))
        elif _is_object(member):
            yield inside, member


def _is_object(node: Node) -> bool:
    return isinstance(node.value, Map)
