"""Schemas of a document, compiled once each and used on the values that stand in the same document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import jsonschema_rs

from .document import plain
from .ir.schema import Json
from .pointer import to_reference

_DOCUMENT: Final = "urn:dhatu:openapi"


class Validators:
    """JSON Schema 2020-12 with formats, by JSON Pointer."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._registry = jsonschema_rs.Registry([(_DOCUMENT, plain(dict(document)))])
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def errors(self, pointer: str, value: Json) -> list[jsonschema_rs.ValidationError]:
        """What the schema at a JSON Pointer of the document refuses in a value."""
        if pointer not in self._compiled:
            self._compiled[pointer] = jsonschema_rs.Draft202012Validator(
                {"$ref": _DOCUMENT + to_reference(pointer)}, registry=self._registry, validate_formats=True
            )
        return list(self._compiled[pointer].iter_errors(plain(value)))
