"""How people call a place in a document: by names, never by a position in a list."""

from __future__ import annotations

from typing import Final

from ..document import Node
from ..path_item import ADDITIONAL, METHODS
from ..pointer import tokens

_SCHEMAS: Final = ("schema", "itemSchema")

_TITLES: Final = {
    "requestBodies": "request body ",
    "responses": "response ",
    "headers": "header ",
    "callbacks": "callback ",
    "encoding": "part ",
    "content": "",
    "paths": "",
    "pathItems": "",
    "webhooks": "webhook ",
}
"""Objects by name, and what people call a member of each (OpenAPI 3.1, section 4.8)."""


def label_of(pointer: str, root: Node) -> str:
    """What a schema is called: from its component, else from the parameter or body that it is written in.

    >>> label_of("/components/schemas/SearchQuery/properties/limit", Node.of({}))
    'SearchQuery.limit'
    >>> label_of("/paths/~1a/get/responses/200/content/application~1json/schema/items", Node.of({}))
    'GET /a response 200 application/json[]'
    """
    path = list(tokens(pointer.partition("#")[0]))
    if path[:2] == ["components", "schemas"]:
        return _inside(path[2], path[3:])
    words: list[str] = []
    node: Node | None = root
    while path and path[0] not in _SCHEMAS:
        token = path.pop(0)
        node = node.step(token) if node else None
        title = _TITLES.get(token)
        if token == "parameters" and path:
            key = path.pop(0)
            named = isinstance(node.value, dict) if node else False
            node = node.step(key) if node else None
            words.append(_parameter(node, key, named=named))
        elif title is not None and path:
            key = path.pop(0)
            node = node.step(key) if node else None
            words.append(f"{title}{key}")
        elif token in METHODS and words:
            words.insert(-1, token.upper())
        elif token == ADDITIONAL and path and words:
            key = path.pop(0)
            node = node.step(key) if node else None
            words.insert(-1, key)
        elif token == "requestBody":
            words.append("request body")
        elif token != "components":
            words.append(token)
    return _inside(" ".join(words), path[1:])


def _parameter(node: Node | None, key: str, *, named: bool) -> str:
    """`query parameter q`; of a component its name too, for two may describe parameters of one name."""
    if node is None:
        return f"parameter {key}"
    text = f"{node.text('in')} parameter {node.text('name')}"
    return f"{text} ({key})" if named else text


def _inside(label: str, path: list[str]) -> str:
    names = iter(path)
    for keyword in names:
        if keyword in ("properties", "patternProperties"):
            label += f".{next(names, '')}"
        elif keyword in ("items", "additionalProperties"):
            label += "[]"
    return label
