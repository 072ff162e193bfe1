"""The schemas of the merged document, compiled at boot (JSON Schema 2020-12)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, cast
from urllib.parse import quote

import jsonschema_rs
import orjson

from dhatu_gateway.core.validation.formats import with_bounds
from dhatu_gateway.core.validation.sides import Side, seen_from

_URI = "urn:dhatu:openapi"


class Schemas:
    """Compiles schemas by their JSON Pointer into the OpenAPI document."""

    def __init__(
        self,
        document: dict[str, Any],
        side: Side = "request",
        source: Callable[[], bytes] | None = None,
    ) -> None:
        """`side` says whose messages are held against the schemas: readOnly and writeOnly differ.

        `source` gives the document as it was written, as JSON, to make the same schemas elsewhere.
        """
        self._written = document
        self.source = source or cache(lambda: orjson.dumps(document))
        self._document = with_bounds(seen_from(document, side))
        self._registry = jsonschema_rs.Registry([(_URI, self._document)], draft=jsonschema_rs.Draft202012)
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    @cached_property
    def answers(self) -> Schemas:
        """The same schemas, for what services answer."""
        return Schemas(self._written, "answer", self.source)

    def validator(self, pointer: str) -> jsonschema_rs.Validator:
        """Compile a schema; formats are asserted, and patterns run on a regex engine of linear time.

        Raises `ValueError` where the schema cannot be compiled.
        """
        validator = self._validators.get(pointer)
        if validator is None:
            try:
                validator = jsonschema_rs.Draft202012Validator(
                    {"$ref": f"{_URI}#{quote(pointer, safe='/~')}"},
                    registry=self._registry,
                    validate_formats=True,
                    pattern_options=jsonschema_rs.RegexOptions(),
                    offline=True,
                )
            except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
                raise ValueError(f"the schema at {pointer} cannot be compiled: {error}") from error
            self._validators[pointer] = validator
        return validator

    def check(self, schema: Any, value: Any) -> bool:
        """Whether a schema of the document allows a value; for once, since nothing is kept."""
        validator = jsonschema_rs.Draft202012Validator(
            _absolute(schema), registry=self._registry, validate_formats=True, offline=True
        )
        return validator.is_valid(value)

    def resolve(self, schema: Any) -> dict[str, Any]:
        """Follow `$ref` to the schema that says something itself; `true` and `false` say nothing."""
        seen: set[str] = set()
        while isinstance(schema, dict):
            members = cast(dict[str, Any], schema)
            reference = members.get("$ref")
            if reference is None or len(members) > 1:
                return members
            if reference in seen:
                raise ValueError(f"{reference} refers to itself")
            seen.add(reference)
            schema = self.at(str(reference).removeprefix("#"))
        return {}

    def at(self, pointer: str) -> Any:
        """Return what a JSON Pointer (RFC 6901) points to; raises `ValueError` where there is nothing."""
        value: Any = self._document
        for token in pointer.split("/")[1:]:
            key = token.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(key) if isinstance(value, list) else key]
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ValueError(f"openapi.json has nothing at {pointer}") from error
        return value


def _absolute(schema: Any) -> Any:
    """A schema whose references lead into the document, wherever it stands."""
    if isinstance(schema, list):
        return [_absolute(item) for item in cast(list[object], schema)]
    if not isinstance(schema, dict):
        return schema
    members = cast(dict[str, Any], schema)
    return {
        name: f"{_URI}{member}" if name == "$ref" and isinstance(member, str) else _absolute(member)
        for name, member in members.items()
    }
