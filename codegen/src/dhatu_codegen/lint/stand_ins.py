"""Answers in a service's stead: that they are answers which the document describes."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..ir.api import Api
from ..ir.operation import Operation, Payload
from ..ir.policy import Fallback
from ..validators import Validators


def stand_ins(api: Api, diagnostics: Diagnostics) -> None:
    """DH058: a fallback that is not among the answers of its operation."""
    validators = Validators(api.document)
    for operation in api.operations:
        fallback = operation.policy.fallback
        if fallback is None:
            continue
        payload = _described(operation, fallback)
        if payload is None:
            text = (
                f"the fallback of {operation.key} answers {fallback.status} with JSON, which is not described"
            )
            diagnostics.add("DH058", text, operation.source)
        elif payload.pointer:
            for error in validators.errors(payload.pointer, fallback.body):
                text = f"the fallback of {operation.key} is refused by its schema: {error.message}"
                diagnostics.add("DH058", text, operation.source)


def _described(operation: Operation, fallback: Fallback) -> Payload | None:
    """What the document says of JSON with that status; the most exact word counts."""
    by_status = {response.status.upper(): response for response in operation.responses}
    for status in (str(fallback.status), f"{fallback.status // 100}XX", "DEFAULT"):
        if status in by_status:
            payloads = by_status[status].payloads
            return next((payload for payload in payloads if payload.kind == "json"), None)
    return None
