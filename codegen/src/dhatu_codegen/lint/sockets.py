"""Operations that open WebSockets."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostics
from ..ir.api import Api
from ..ir.operation import Operation


def sockets(api: Api, diagnostics: Diagnostics) -> None:
    """DH016: a WebSocket is opened by a GET that nothing answers but its service (RFC 6455 section 4.1).

    DH091: those that are in order have no method in the SDKs.
    """
    for operation in api.operations:
        if operation.policy.websocket is None:
            continue
        problems = tuple(_problems(operation))
        for problem in problems:
            message = f"{operation.key} cannot be a WebSocket: {problem}"
            diagnostics.add("DH016", message, operation.source)
        if not problems:
            message = f"{operation.key} opens a WebSocket: the SDKs have no method for it"
            hint = "callers open it by a WebSocket library, with the credentials that they call with"
            diagnostics.add("DH091", message, operation.source, hint=hint)


def _problems(operation: Operation) -> Iterator[str]:
    policy = operation.policy
    if operation.method != "GET":
        yield f"its method is {operation.method}, not GET"
    if operation.body is not None:
        yield "it has a body"
    if policy.cache is not None:
        yield "its answers are kept by a cache"
    if policy.fallback is not None:
        yield "it has a fallback"
