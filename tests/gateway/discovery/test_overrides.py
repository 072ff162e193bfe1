"""What an operator says in Consul's key-value store: all of it in force, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from dhatu_gateway.core.discovery.key_values import AllOverrides, OverrideKeys
from dhatu_gateway.core.discovery.overrides import InvalidOverrides, Overrides, parse_overrides
from dhatu_gateway.core.upstream.discovery import Endpoint
from gateway.discovery.support import QUICK, FakeConsul, until

A = Endpoint(host="10.0.0.1", port=80, tags=("canary",), zone="eu-1")
B = Endpoint(host="10.0.0.2", port=80, zone="eu-2")
SIX = Endpoint(host="fd00::1", port=80)


def weights(overrides: Overrides) -> dict[str, float]:
    return {endpoint.host: endpoint.weight for endpoint in overrides.applied((A, B, SIX))}


def test_the_most_precise_selector_counts() -> None:
    said = {"*": 2.0, "zone:eu-2": 3.0, "zone:eu-1": 4.0, "tag:canary": 5.0}
    assert weights(Overrides(weights=said)) == {"10.0.0.1": 5, "10.0.0.2": 3, "fd00::1": 2}
    said |= {"10.0.0.1:80": 6.0, "[fd00::1]:80": 7.0}
    assert weights(Overrides(weights=said)) == {"10.0.0.1": 6, "10.0.0.2": 3, "fd00::1": 7}


def test_a_drain_takes_endpoints_out_but_never_all() -> None:
    assert weights(Overrides(drain=frozenset({"zone:eu-1", "[fd00::1]:80"}))) == {"10.0.0.2": 1}
    assert len(weights(Overrides(drain=frozenset({"*"})))) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "must be an object"),
        ('{"weight": {}}', "may hold weights, drain, breaker, operations, not weight"),
        ('{"weights": []}', "weights must be an object"),
        ('{"drain": "a:1"}', "drain an array"),
        ('{"weights": {"a:1": 0}}', "above 0 and up to 65535, not 0"),
        ('{"weights": {"a:1": "3"}}', "not '3'"),
        ('{"weights": {"a:1": true}}', "not True"),
        ('{"weights": {"a:1": 1e9}}', "not 1000000000"),
        ('{"weights": {"canary": 1}}', "'canary' must be host:port"),
        ('{"drain": [7]}', "7 must be host:port"),
    ],
)
def test_a_bad_value_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(InvalidOverrides, match="corpus: ") as caught:
        parse_overrides({"corpus": text.encode()}, {"corpus"})
    assert why in str(caught.value)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(
        InvalidOverrides, match=r"corpus: .*; nobody: there is no such service; there are corpus"
    ):
        parse_overrides({"corpus": b"[]", "nobody": b"{}"}, {"corpus"})


@asynccontextmanager
async def following(consul: FakeConsul, token: str = "") -> AsyncGenerator[list[AllOverrides]]:
    applied: list[AllOverrides] = []
    client = consul.client(token)
    keys = OverrideKeys(client, "dhatu/gateway", {"corpus", "analysis"}, QUICK)

    async def change(overrides: AllOverrides) -> None:
        applied.append(overrides)

    task = asyncio.create_task(keys.follow(change))
    try:
        yield applied
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.close()


def put(consul: FakeConsul, service: str, document: object) -> None:
    consul.put(f"/v1/kv/dhatu/gateway/{service}", json.dumps(document).encode())


async def test_what_is_written_is_in_force_at_once_and_what_is_deleted_is_not(consul: FakeConsul) -> None:
    async with following(consul) as applied:
        put(consul, "corpus", {"weights": {"tag:canary": 0.1}})
        await until(lambda: applied[-1:] == [{"corpus": Overrides(weights={"tag:canary": 0.1})}])
        put(consul, "", None)  # the folder itself
        put(consul, "analysis", {"drain": ["a:1"]})
        await until(lambda: len(applied[-1]) == 2)


async def test_a_bad_value_keeps_all_of_the_old_ones_and_is_said_once(
    consul: FakeConsul, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    put(consul, "corpus", {"drain": ["a:1"]})
    async with following(consul) as applied:
        await until(lambda: len(applied) == 1)
        put(consul, "analysis", {"drain": "everything"})
        await until(lambda: "stay as they were: analysis: weights must be" in caplog.text)
        put(consul, "corpus", {"drain": []})
        await asyncio.sleep(0.05)
        assert len(applied) == 1
        assert caplog.text.count("stay as they were") == 1
        put(consul, "analysis", {})
        await until(lambda: len(applied) == 2)
        assert applied[-1] == {"corpus": Overrides(), "analysis": Overrides()}
        assert "are in order again" in caplog.text


async def test_what_cannot_be_read_changes_nothing(consul: FakeConsul) -> None:
    put(consul, "corpus", {"drain": ["a:1"]})
    consul.misbehave(token="s3cret")
    async with following(consul) as applied:
        await asyncio.sleep(0.1)
        assert applied == []
    async with following(consul, "s3cret") as applied:
        await until(lambda: len(applied) == 1)
        consul.misbehave(status=500)
        put_ignored = asyncio.sleep(0.1)
        await put_ignored
        assert len(applied) == 1
        consul.misbehave(token="", body='[{"Key": 1}]')
        await asyncio.sleep(0.1)
        assert len(applied) == 1
