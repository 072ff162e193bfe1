"""Endpoints by Consul: what it says is followed, and whatever it fails to say costs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from dhatu_gateway.core.discovery.consul import ConsulSource, read_instances
from dhatu_gateway.core.discovery.consul_index import next_index
from dhatu_gateway.core.discovery.http import JsonClient
from dhatu_gateway.core.discovery.origin import ConsulOrigin
from dhatu_gateway.core.discovery.source import DiscoveryError
from dhatu_gateway.core.discovery.standing import Standing, follow
from gateway.discovery.support import QUICK, FakeConsul, Seen, consul_access, until
from hypothesis import given, settings
from hypothesis import strategies as st

CORPUS = ConsulOrigin(service="corpus", tls=False)
WAIT_S = 0.5
"""So that a query that waits ends by itself within a test."""


@asynccontextmanager
async def following(
    consul: FakeConsul, origin: ConsulOrigin = CORPUS, token: str = "", wait_s: float = WAIT_S
) -> AsyncGenerator[tuple[Standing, Seen]]:
    seen = Seen()
    standing = Standing("corpus", "consul", seen)
    client = consul.client(token)
    task = asyncio.create_task(follow(ConsulSource(origin, client, wait_s=wait_s), standing, QUICK))
    try:
        yield standing, seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.close()


async def test_instances_come_and_go_as_soon_as_consul_knows(consul: FakeConsul) -> None:
    consul.register("corpus", "c1", 1)
    async with following(consul, wait_s=60) as (standing, seen):
        await until(lambda: seen.sets == [["127.0.0.1:1"]])
        consul.register("other", "o1", 9)
        consul.register("corpus", "c2", 2)
        await until(lambda: len(seen.sets) == 2)
        consul.deregister("c1")
        await until(lambda: len(seen.sets) == 3)
        assert seen.sets[1:] == [["127.0.0.1:1", "127.0.0.1:2"], ["127.0.0.1:2"]]
        assert standing.error == ""


async def test_who_fails_a_check_gets_nothing(consul: FakeConsul) -> None:
    consul.register("corpus", "c1", 1)
    consul.register("corpus", "c2", 2, Check={"CheckID": "ttl", "TTL": "10m", "Status": "passing"})
    async with following(consul) as (_, seen):
        await until(lambda: seen.sets == [["127.0.0.1:1", "127.0.0.1:2"]])
        consul.put("/v1/agent/check/update/ttl", {"Status": "critical"})
        await until(lambda: seen.sets[-1] == ["127.0.0.1:1"])


async def test_meta_and_tags_become_weight_zone_and_version(consul: FakeConsul) -> None:
    meta = {"weight": "3", "zone": "eu-1", "version": "2.1"}
    consul.register("corpus", "c1", 1, Meta=meta, Tags=["canary", "dhatu", "urlprefix-/x y"])
    consul.register("corpus", "c2", 2, Weights={"Passing": 7, "Warning": 1})
    async with following(consul) as (_, seen):
        await until(lambda: len(seen.last) == 2)
        first, second = seen.last
        assert (first.weight, first.zone, first.tags) == (3, "eu-1", ("canary", "dhatu", "version=2.1"))
        assert (second.weight, second.zone, second.tags) == (7, "", ())


async def test_only_those_with_a_tag(consul: FakeConsul) -> None:
    consul.register("corpus", "c1", 1, Tags=["v1"])
    consul.register("corpus", "c2", 2, Tags=["v2"])
    async with following(consul, ConsulOrigin(service="corpus", tls=True, tag="v2")) as (_, seen):
        await until(lambda: [endpoint.url for endpoint in seen.last] == ["https://127.0.0.1:2"])


async def test_a_dead_consul_costs_nothing_and_is_followed_again_after_it_has_lost_its_indexes(
    consul: FakeConsul,
) -> None:
    consul.register("corpus", "c1", 1)
    for number in range(20):
        consul.register("noise", f"n{number}", 9)
    async with following(consul) as (standing, seen):
        await until(lambda: bool(seen.sets))
        consul.kill()
        await until(lambda: standing.failures > 2)
        assert "cannot be reached" in standing.error
        assert seen.sets == [["127.0.0.1:1"]]
        consul.start()  # knows nothing, and its indexes begin anew
        await until(lambda: "names no instance" in standing.error)
        assert seen.sets == [["127.0.0.1:1"]]
        consul.register("corpus", "c2", 2)
        await until(lambda: seen.sets[-1] == ["127.0.0.1:2"])
        assert standing.error == ""


async def test_a_paused_consul_costs_nothing(consul: FakeConsul) -> None:
    consul.register("corpus", "c1", 1)
    async with following(consul) as (standing, seen):
        await until(lambda: bool(seen.sets))
        consul.pause()
        await asyncio.sleep(0.05)
        assert (standing.failures, seen.sets) == (0, [["127.0.0.1:1"]])
        consul.resume()
        consul.register("corpus", "c2", 2)
        await until(lambda: len(seen.sets) == 2)


async def test_an_index_that_goes_backwards_is_forgotten(consul: FakeConsul) -> None:
    consul.misbehave(index=5000)
    consul.register("corpus", "c1", 1)
    async with following(consul) as (_, seen):
        await until(lambda: bool(seen.sets))
        consul.misbehave(index=10)
        consul.register("corpus", "c2", 2)
        await until(lambda: len(seen.sets) == 2)
        asked = consul.misbehave()
        after = [line for line in asked if "index=" in line]
        consul.register("corpus", "c3", 3)
        await until(lambda: len(seen.sets) == 3)
        assert any("index=5001" in line for line in after)
        asked = [line for line in consul.misbehave() if "health" in line]
        assert "index=5001" not in asked[-1]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"status": 500}, "Consul answered 500: No cluster leader"),
        ({"status": 429, "text": "rate limit exceeded"}, "Consul answered 429: rate limit exceeded"),
        ({"status": 403, "text": "ACL\x1b[2J not found"}, "Consul answered 403: ACL [2J not found"),
        ({"body": "<html>"}, "not JSON"),
        ({"body": "{}"}, "not a list of instances"),
        ({"body": ""}, "not a list of instances"),
        ({"body": "[1, null, {}]"}, "names no instance"),
        ({"body": "[]"}, "names no instance that passes its checks, so the last good ones stay"),
        ({"headers": {"X-Consul-Index": "soon"}}, "no index that can be used"),
        ({"headers": {"X-Consul-Index": "9" * 30}}, "no index that can be used"),
        (
            {"headers": {"X-Consul-KnownLeader": "false", "X-Consul-LastContact": "90000"}},
            "had no leader for a while, so the last good ones stay",
        ),
    ],
)
async def test_an_answer_that_cannot_be_believed_leaves_the_last_good_set(
    consul: FakeConsul, how: dict[str, Any], why: str
) -> None:
    consul.register("corpus", "c1", 1)
    async with following(consul, wait_s=0.05) as (standing, seen):
        await until(lambda: bool(seen.sets))
        consul.misbehave(**how)
        await until(lambda: standing.failures > 1)
        assert why in standing.error
        assert seen.sets == [["127.0.0.1:1"]]
        consul.misbehave()
        await until(lambda: standing.error == "")


async def test_a_slow_consul_is_given_up_and_asked_again(
    consul: FakeConsul, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhatu_gateway.core.discovery.consul_index._ANSWER_S", 0.2)
    consul.register("corpus", "c1", 1)
    async with following(consul, wait_s=0.05) as (standing, seen):
        await until(lambda: bool(seen.sets))
        consul.misbehave(delay_s=5)
        await until(lambda: "did not answer within" in standing.error)
        assert seen.sets == [["127.0.0.1:1"]]


async def test_a_token_opens_what_is_closed_without_it(consul: FakeConsul) -> None:
    consul.register("corpus", "c1", 1)
    consul.misbehave(token="s3cret")
    async with following(consul) as (standing, seen):
        await until(lambda: "may not read the service" in standing.error)
        assert seen.sets == []
    async with following(consul, token="s3cret") as (_, seen):
        await until(lambda: bool(seen.sets))


async def test_an_index_of_zero_is_never_asked_with(consul: FakeConsul) -> None:
    consul.register("corpus", "c1", 1)
    consul.misbehave(headers={"X-Consul-Index": "0"})
    async with following(consul, wait_s=0.05) as (_, seen):
        await until(lambda: bool(seen.sets))
        await until(lambda: len(consul.misbehave(headers={"X-Consul-Index": "0"})) > 3)
        assert not [line for line in consul.misbehave() if "index=0" in line]


async def test_a_client_of_nobody_says_where_it_looked() -> None:
    client = JsonClient(consul_access("http://127.0.0.1:1"))
    with pytest.raises(DiscoveryError, match="Consul cannot be reached"):
        await client.ask("/v1/catalog/services", {}, timeout_s=1)
    await client.close()


def test_one_bad_instance_does_not_hurt_the_others() -> None:
    good = {"Node": {"Address": "10.0.0.1"}, "Service": {"Address": "", "Port": 80}, "Checks": []}
    bad = [
        {"Node": {"Address": "10.0.0.2"}, "Service": {"Address": "", "Port": 0}},
        {"Node": {"Address": "10.0.0.2"}, "Service": {"Address": "x y", "Port": 80}},
        {"Node": {"Address": "10.0.0.2"}, "Service": {"Port": 80, "Meta": {"weight": "-1"}}},
        {"Node": {"Address": "10.0.0.2"}, "Service": {"Port": "80"}},
        {"Service": None},
    ]
    endpoints, notes = read_instances([*bad, good], tls=False)
    assert [endpoint.authority for endpoint in endpoints] == ["10.0.0.1"]
    assert len(notes) == len(bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Node", "Service", "Checks", "Address", "Port", "Meta", "Tags", "Weights", "x"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=50)
@given(JSON)
def test_nothing_that_is_json_breaks_the_reading(document: object) -> None:
    with contextlib.suppress(DiscoveryError):
        for endpoint in read_instances(json.loads(json.dumps(document)), tls=False)[0]:
            assert 0 < endpoint.port < 65_536
            assert endpoint.weight > 0


@given(st.integers(0, 2**63), st.integers(0, 2**63))
def test_an_index_is_never_zero_unless_it_went_backwards(asked: int, said: int) -> None:
    index = next_index(asked, str(said))
    assert index == (0 if 0 < said < asked else max(1, said))
