"""Makes the calls of a case with the Python SDK: the client that awaits, or its twin in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dhatu_client import APIStatusError, BreakerPolicy, BudgetPolicy, DhatuAPI, Resilience, SyncDhatuAPI

Given = Mapping[str, Any]
_POLICIES: Mapping[str, Callable[..., object]] = {"budget": BudgetPolicy, "breaker": BreakerPolicy}


async def awaiting(given: Given) -> list[str]:
    """How each call ended."""
    async with DhatuAPI(**_client(given)) as client:
        outcomes: list[str] = []
        for call in given["calls"]:

            async def one(call: Given = call) -> str:
                try:
                    return _name(call, await _method(client, call)(**_arguments(call)))
                except APIStatusError as error:
                    return str(error.status)

            for _ in range(call.get("repeat", 1)):
                outcomes += await asyncio.gather(*(one() for _ in range(call.get("together", 1))))
        return outcomes


async def in_threads(given: Given) -> list[str]:
    """How each call ended."""
    return await asyncio.to_thread(_in_threads, given)


def _in_threads(given: Given) -> list[str]:
    with SyncDhatuAPI(**_client(given)) as client:
        outcomes: list[str] = []
        for call in given["calls"]:

            def one(_: int, call: Given = call) -> str:
                try:
                    return _name(call, _method(client, call)(**_arguments(call)))
                except APIStatusError as error:
                    return str(error.status)

            together = call.get("together", 1)
            for _ in range(call.get("repeat", 1)):
                with ThreadPoolExecutor(together) as pool:
                    outcomes += pool.map(one, range(together))
        return outcomes


def _client(given: Given) -> dict[str, Any]:
    options = dict(given.get("client", {}))
    if "resilience" in options:
        policies: dict[str, Any] = {
            name: _POLICIES[name](**value) if isinstance(value, dict) else value
            for name, value in options["resilience"].items()
        }
        options["resilience"] = Resilience(**policies)
    return {**options, "base_url": given["base_url"], "api_key": given["api_key"]}


def _method(client: object, call: Given) -> Callable[..., Any]:
    resource, name = call["operation"].split(".")
    method: Callable[..., Any] = getattr(getattr(client, resource), name)
    return method


def _arguments(call: Given) -> dict[str, Any]:
    return {**call.get("arguments", {}), **call.get("options", {})}


def _name(call: Given, value: Any) -> str:
    return str(value.id) if call["operation"] == "corpus.collect" else "ok"
