"""Examples: that there are any, and that they are true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import jsonschema_rs

from ..diagnostics import Diagnostics
from ..document import Node, plain
from ..ir.api import Api
from ..ir.operation import Operation, Payload
from ..ir.schema import Json
from ..pointer import join, to_reference

_DOCUMENT: Final = "urn:dhatu:openapi"
_VALUES: Final = frozenset({"json", "jsonl", "sse", "form", "multipart"})
"""Kinds whose examples are JSON values of the schema."""


def examples_present(api: Api, diagnostics: Diagnostics) -> None:
    """DH041: every parameter and every JSON body of a request or a success has an example."""
    for operation in api.operations:
        for parameter in operation.parameters:
            if not parameter.examples and not parameter.schema.examples and not parameter.schema.has_default:
                message = f"the parameter {parameter.name.wire!r} of {operation.key} has no example"
                diagnostics.add("DH041", message, parameter.source)
        for payload in _payloads(operation):
            if payload.kind == "json" and payload.pointer and not payload.examples:
                message = f"the {payload.media_type} of {operation.key} has no example"
                diagnostics.add("DH041", message, payload.source)


def examples_valid(api: Api, diagnostics: Diagnostics) -> None:
    """DH042: every example is a value that its schema allows."""
    validators = _Validators(api.document)
    root = Node.of(api.document)
    checked: set[str] = set()
    for operation in api.operations:
        for parameter in operation.parameters:
            if parameter.pointer and parameter.pointer not in checked and not parameter.content_type:
                checked.add(parameter.pointer)
                for value in parameter.examples:
                    for error in validators.errors(parameter.pointer, value):
                        text = (
                            f"an example of the parameter {parameter.name.wire!r} is refused: {error.message}"
                        )
                        diagnostics.add("DH042", text, parameter.source)
        for payload in (*_payloads(operation), *_errors(operation)):
            if payload.pointer and payload.kind in _VALUES and payload.pointer not in checked:
                checked.add(payload.pointer)
                _check_payload(root, validators, payload, diagnostics)


def _check_payload(root: Node, validators: _Validators, payload: Payload, diagnostics: Diagnostics) -> None:
    carrier = root.at(payload.pointer.removesuffix("/schema"))
    for name, value in payload.examples:
        node = carrier.at(join("examples", name, "value")) if carrier else None
        for error in validators.errors(payload.pointer, value):
            found = node.at(join(*(str(token) for token in error.instance_path))) if node else None
            text = f"the example {name!r} is refused by its schema: {error.message}"
            diagnostics.add("DH042", text, found.source if found else payload.source)


class _Validators:
    """Compiles each schema of the document once, formats included."""

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


def _payloads(operation: Operation) -> tuple[Payload, ...]:
    """Of the request, and of the answers that mean success."""
    answers = [response for response in operation.responses if response.status.startswith("2")]
    body = operation.body.payloads if operation.body else ()
    return (*body, *(payload for response in answers for payload in response.payloads))


def _errors(operation: Operation) -> tuple[Payload, ...]:
    failures = [response for response in operation.responses if not response.status.startswith("2")]
    return tuple(payload for response in failures for payload in response.payloads)
