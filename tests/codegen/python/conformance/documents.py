"""The document that the conformance tests generate a client from: made up here, one operation per case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from . import answers_document, bodies_document, names_document, security_document

Json = Any

STYLES: Final = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}
TYPES: Final[dict[str, Json]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "nullable": {"type": ["string", "null"]},
    "array": {"type": "array", "items": {"type": "string"}},
    "integers": {"type": "array", "items": {"type": "integer"}},
    "object": {
        "type": "object",
        "properties": {"R": {"type": "integer"}, "G": {"type": "string"}, "on": {"type": "boolean"}},
    },
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
}
_COMPOUND: Final = ("array", "integers", "object", "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One parameter: where, how and what."""

    location: str
    style: str
    explode: bool
    kind: str

    @property
    def name(self) -> str:
        return f"{self.style}_{'exploded' if self.explode else 'whole'}_{self.kind}".lower()

    @property
    def template(self) -> str:
        return f"/{self.location}/{self.name}" + ("/{v}" if self.location == "path" else "")

    @property
    def parameter(self) -> Json:
        return {
            "name": "v",
            "in": self.location,
            "required": self.location == "path",
            "style": self.style,
            "explode": self.explode,
            "schema": TYPES[self.kind],
        }


def cases() -> Iterator[Case]:
    """Every combination that the specification gives a meaning."""
    for location, styles in STYLES.items():
        for style, explode, kind in product(styles, (False, True), TYPES):
            delimited = style in ("spaceDelimited", "pipeDelimited")
            meant = (style != "deepObject" or (explode and kind in ("object", "map"))) and (
                not delimited or (not explode and kind in _COMPOUND)
            )
            if meant:
                yield Case(location=location, style=style, explode=explode, kind=kind)


def operation(name: str, tag: str, **members: Json) -> Json:
    """An operation that answers nothing unless it says what."""
    return {
        "operationId": name,
        "tags": [tag],
        "summary": name,
        "responses": {"204": {"description": "Nothing."}},
        **members,
    }


def document() -> Json:
    """The whole document."""
    paths: dict[str, Json] = {}
    for case in cases():
        paths[case.template] = {"get": operation(case.name, case.location, parameters=[case.parameter])}
    parts = (answers_document, bodies_document, names_document, security_document)
    for part in parts:
        for path, item in part.paths(operation).items():
            assert path not in paths
            paths[path] = item
    return {
        "openapi": "3.1.1",
        "info": {"title": "Wire", "version": "1.0.0"},
        "x-dhatu": {
            "sdk": {
                "client": "WireAPI",
                "environment_prefix": "WIRE",
                "python": {"package": "wire_client", "distribution": "wire-client"},
            }
        },
        "servers": [
            {
                "url": "https://{region}.wire.test:{port}/base/",
                "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "port": {"default": "8443"}},
            }
        ],
        "paths": paths,
        "components": {
            "schemas": bodies_document.SCHEMAS,
            "securitySchemes": security_document.SCHEMES,
        },
    }
