"""Which operations an SDK has methods for: those that are calls."""

from __future__ import annotations

from dataclasses import replace

from ..ir.api import Api


def calls_of(api: Api) -> Api:
    """The API without what opens WebSockets: a method that sends a request and reads an answer cannot."""
    calls = tuple(operation for operation in api.operations if operation.policy.websocket is None)
    return api if len(calls) == len(api.operations) else replace(api, operations=calls)
