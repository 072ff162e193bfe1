"""Examples: that there are any, and that they are true."""

from __future__ import annotations

from typing import Final

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api
from ..ir.operation import Operation, Payload
from ..pointer import join
from ..validators import Validators

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
    validators = Validators(api.document)
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


def _check_payload(root: Node, validators: Validators, payload: Payload, diagnostics: Diagnostics) -> None:
    carrier = root.at(payload.pointer.removesuffix("/schema"))
    for name, value in payload.examples:
        node = carrier.at(join("examples", name, "value")) if carrier else None
        for error in validators.errors(payload.pointer, value):
            found = node.at(join(*(str(token) for token in error.instance_path))) if node else None
            text = f"the example {name!r} is refused by its schema: {error.message}"
            diagnostics.add("DH042", text, found.source if found else payload.source)


def _payloads(operation: Operation) -> tuple[Payload, ...]:
    """Of the request, and of the answers that mean success."""
    answers = [response for response in operation.responses if response.status.startswith("2")]
    body = operation.body.payloads if operation.body else ()
    return (*body, *(payload for response in answers for payload in response.payloads))


def _errors(operation: Operation) -> tuple[Payload, ...]:
    failures = [response for response in operation.responses if not response.status.startswith("2")]
    return tuple(payload for response in failures for payload in response.payloads)
