"""Which objects of OpenAPI 3.0 to 3.2 hold which others: what tells a schema from a value or a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from ..path_item import ADDITIONAL

Form: TypeAlias = Literal["one", "list", "map"]
"""An object; an array of them; an object whose keys somebody chose and whose members are such objects."""

EVERY_KEY: Final = "*"
"""Stands for every key of an object that the table does not name, extensions left out."""

_OPERATIONS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_PARAMETER: Final[Mapping[str, tuple[Form, str]]] = {
    "schema": ("one", "schema"),
    "content": ("one", "content"),
    "examples": ("map", "example"),
}

SHAPES: Final[Mapping[str, Mapping[str, tuple[Form, str]]]] = {
    "document": {
        "servers": ("list", "server"),
        "paths": ("one", "paths"),
        "webhooks": ("map", "pathItem"),
        "x-webhooks": ("map", "pathItem"),
        "components": ("one", "components"),
        "tags": ("list", "tag"),
        "security": ("list", "securityRequirement"),
    },
    "components": {
        "schemas": ("map", "schema"),
        "responses": ("map", "response"),
        "parameters": ("map", "parameter"),
        "examples": ("map", "example"),
        "requestBodies": ("map", "requestBody"),
        "headers": ("map", "header"),
        "securitySchemes": ("map", "securityScheme"),
        "links": ("map", "link"),
        "callbacks": ("map", "callback"),
        "pathItems": ("map", "pathItem"),
        "mediaTypes": ("map", "mediaType"),
    },
    "paths": {EVERY_KEY: ("one", "pathItem")},
    "callback": {EVERY_KEY: ("one", "pathItem")},
    "pathItem": {
        **dict.fromkeys(_OPERATIONS, ("one", "operation")),
        "additionalOperations": ("map", "operation"),
        ADDITIONAL: ("map", "operation"),
        "parameters": ("list", "parameter"),
        "servers": ("list", "server"),
    },
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "requestBody"),
        "responses": ("one", "responses"),
        "callbacks": ("map", "callback"),
        "servers": ("list", "server"),
        "security": ("list", "securityRequirement"),
    },
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "requestBody": {"content": ("one", "content")},
    "responses": {EVERY_KEY: ("one", "response")},
    "response": {
        "headers": ("map", "header"),
        "content": ("one", "content"),
        "links": ("map", "link"),
    },
    "content": {EVERY_KEY: ("one", "mediaType")},
    "mediaType": {
        "schema": ("one", "schema"),
        "itemSchema": ("one", "schema"),
        "examples": ("map", "example"),
        "encoding": ("map", "encoding"),
    },
    "encoding": {"headers": ("map", "header")},
    "link": {"server": ("one", "server")},
    "securityScheme": {"flows": ("one", "flows")},
    "schema": {
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs"), ("map", "schema")),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), ("list", "schema")),
        **dict.fromkeys(("items", "additionalProperties", "not", "if", "then", "else"), ("one", "schema")),
        **dict.fromkeys(("contains", "propertyNames", "contentSchema"), ("one", "schema")),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), ("one", "schema")),
        "discriminator": ("one", "discriminator"),
        "xml": ("one", "xml"),
    },
}
"""Kind of object: key: the form and the kind of what stands there. Everything else is a value."""
