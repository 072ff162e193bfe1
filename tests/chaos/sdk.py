"""Calls of the Python SDK to the service that suffers, one operation of each class."""

from __future__ import annotations

import json
from collections.abc import Mapping

from chaos.clients import Load, Outcome
from dhatu_client import APIStatusError, DhatuAPI, DhatuError
from dhatu_client._call import BodySpec, Operation, ResponseSpec, RetryClass

TEXT = "sound " * 2_000
"""Of a body that does not fit into one packet."""
_ANSWERS = (ResponseSpec(status="200", media_type="application/json", kind="json"),)
_BODIES = (BodySpec(media_type="application/json", kind="json", argument="content"),)
_WAYS: Mapping[RetryClass, tuple[str, str]] = {
    "safe": ("GET", "items"),
    "keyed": ("POST", "jobs"),
    "never": ("POST", "items"),
}


class SdkCaller:
    """One operation, as its generated method calls it."""

    def __init__(self, client: DhatuAPI, service: str, retry: RetryClass) -> None:
        method, path = _WAYS[retry]
        self._client = client
        self._operation: Operation[object] = Operation(
            key=f"{service}.{retry}",
            method=method,
            path=f"/api/v1/{service}/{path}",
            bodies=() if method == "GET" else _BODIES,
            responses=_ANSWERS,
            retry=retry,
        )
        self._arguments: Mapping[str, object] = {} if method == "GET" else {"content": {"text": TEXT}}

    async def call(self) -> Outcome:
        """Where it raises, its kind is the name of the error."""
        try:
            value = await self._client.call(self._operation, self._arguments, {})
        except DhatuError as error:
            status = error.status if isinstance(error, APIStatusError) else 0
            told = json.dumps({"type": type(error).__name__}).encode()
            return Outcome(status=status, headers={"content-type": "application/problem+json"}, body=told)
        return Outcome(status=200, body=json.dumps(value).encode())

    def close(self) -> None:
        """The client is not its own."""


def sdk_load(client: DhatuAPI, service: str, retry: RetryClass) -> Load:
    """Clients that share one of the SDK, as the tasks of a program do."""
    return Load(lambda: SdkCaller(client, service, retry))
