"""The endpoints of a service change while requests are under way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.errors import UpstreamUnavailable
from dhatu_gateway.core.upstream.policy import Balance, HealthCheck, UpstreamPolicy
from dhatu_gateway.core.upstream.service import Upstream
from dhatu_gateway.core.upstream.types import UpstreamLimits
from gateway.upstream.scripted import (
    LIMITS,
    OK,
    RecordingSink,
    Wire,
    answering_forever,
    exchange,
    request_for,
    serving,
    until,
    upstream_to,
)


async def test_a_service_without_endpoints_is_unavailable_until_the_first_are_found() -> None:
    async with serving(answering_forever()) as (_, endpoint), upstream_to() as upstream:
        with pytest.raises(UpstreamUnavailable, match="no endpoint has been found") as caught:
            await exchange(upstream)
        assert caught.value.service == "corpus"
        assert caught.value.unsent
        upstream.replace([endpoint])
        assert (await exchange(upstream)).content == b"ok"


async def test_an_endpoint_that_stays_keeps_its_connection() -> None:
    async with (
        serving(answering_forever()) as (service, endpoint),
        serving(answering_forever()) as (other, added),
        upstream_to(endpoint) as upstream,
    ):
        await exchange(upstream)
        upstream.replace([replace(endpoint, weight=3, zone="eu-1", tags=("canary",)), added])
        for _ in range(4):
            await exchange(upstream)
        assert (service.connections, other.connections) == (1, 1)
        [first, _] = upstream.members()
        assert (first.own_weight, first.weight, first.zone, first.tags) == (3, 3, "eu-1", ("canary",))


async def test_an_endpoint_that_goes_gets_nothing_more_and_its_idle_connection_is_closed() -> None:
    closed = asyncio.Event()

    async def until_closed(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.closed()
        closed.set()

    async with (
        serving(until_closed) as (service, gone),
        serving(answering_forever()) as (_, stays),
        upstream_to(gone) as upstream,
    ):
        await exchange(upstream)
        upstream.replace([stays])
        await asyncio.wait_for(closed.wait(), 5)
        for _ in range(3):
            await exchange(upstream)
        assert service.connections == 1
        assert upstream.in_flight() == ((stays.authority, 0),)


async def test_a_request_under_way_ends_where_it_is() -> None:
    answer, closed = asyncio.Event(), asyncio.Event()

    async def slow(wire: Wire) -> None:
        await wire.request()
        await answer.wait()
        await wire.send(OK)
        await wire.closed()
        closed.set()

    async with (
        serving(slow) as (service, gone),
        serving(answering_forever()) as (_, stays),
        upstream_to(gone) as upstream,
    ):
        running = asyncio.create_task(exchange(upstream))
        await service.accepted.wait()
        upstream.replace([stays])
        await exchange(upstream)
        assert not running.done()
        answer.set()
        assert (await running).content == b"ok"
        await asyncio.wait_for(closed.wait(), 5)  # not kept: nobody would use it again


async def test_who_waits_for_a_connection_to_an_endpoint_that_goes_is_sent_to_another() -> None:
    answer = asyncio.Event()

    async def slow(wire: Wire) -> None:
        await wire.request()
        await answer.wait()
        await wire.send(OK)

    limits = UpstreamLimits(max_connections=1)
    async with (
        serving(slow) as (service, gone),
        serving(answering_forever()) as (_, stays),
        upstream_to(gone, limits=limits) as upstream,
    ):
        running = asyncio.create_task(exchange(upstream))
        await service.accepted.wait()
        waiting = asyncio.create_task(exchange(upstream))
        await until(lambda: dict(upstream.in_flight())[gone.authority] == 2)
        upstream.replace([stays])
        assert (await waiting).content == b"ok"
        answer.set()
        assert (await running).content == b"ok"


async def test_closing_cuts_off_what_an_endpoint_that_went_still_works_on() -> None:
    async def silent(wire: Wire) -> None:
        await wire.request()
        await wire.closed()

    async with (
        serving(silent) as (service, gone),
        serving(answering_forever()) as (_, stays),
        upstream_to(gone) as upstream,
    ):
        running = asyncio.create_task(exchange(upstream))
        await service.accepted.wait()
        upstream.replace([stays])
        await upstream.close(drain_s=0)
        with pytest.raises(UpstreamUnavailable, match="cut off"):
            await running


async def test_a_request_that_finds_its_only_endpoint_gone_after_a_stale_connection_goes_elsewhere() -> None:
    seen = asyncio.Event()
    close = asyncio.Event()

    async def dying(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        seen.set()
        await close.wait()

    async with (
        serving(dying) as (_, gone),
        serving(answering_forever()) as (_, stays),
        upstream_to(gone) as upstream,
    ):
        await exchange(upstream)
        running = asyncio.create_task(exchange(upstream))
        await seen.wait()
        upstream.replace([stays])
        close.set()
        assert (await running).content == b"ok"


async def test_an_upstream_refuses_to_lose_its_last_endpoint() -> None:
    async with serving(answering_forever()) as (_, endpoint), upstream_to(endpoint) as upstream:
        with pytest.raises(ValueError, match="last endpoint"):
            upstream.replace([])
        assert (await exchange(upstream)).status == 200


async def test_a_closed_upstream_takes_no_new_endpoints() -> None:
    async with serving(answering_forever()) as (service, endpoint), upstream_to() as upstream:
        await upstream.close(drain_s=0)
        upstream.replace([endpoint])
        assert upstream.members() == ()
        assert service.connections == 0


async def test_checks_follow_the_endpoints() -> None:
    policy = UpstreamPolicy(
        balance=Balance(algorithm="round_robin"), health=HealthCheck(kind="tcp", interval_s=0.01, jitter=0)
    )

    async def silent(wire: Wire) -> None:
        await wire.closed()

    async with (
        serving(silent) as (first, one),
        serving(silent) as (second, other),
        upstream_to(one, policy=policy) as upstream,
    ):
        await until(lambda: first.connections > 1)
        upstream.replace([other])
        await until(lambda: second.connections > 1)
        asked = first.connections
        await until(lambda: second.connections > 5)
        assert first.connections <= asked + 1  # one may have been on its way


async def test_nothing_fails_and_nothing_leaks_while_endpoints_come_and_go() -> None:
    async with (
        serving(answering_forever()) as (_, a),
        serving(answering_forever()) as (_, b),
        serving(answering_forever()) as (_, c),
        upstream_to(a) as upstream,
    ):
        done = False

        async def call() -> int:
            count = 0
            while not done:
                assert (await exchange(upstream)).content == b"ok"
                count += 1
            return count

        callers = [asyncio.create_task(call()) for _ in range(4)]
        sets: list[list[Endpoint]] = [[a, b], [b], [b, c], [c], [a, c], [a]]
        for turn in range(300):
            upstream.replace(sets[turn % len(sets)])
            await asyncio.sleep(0)
        done = True
        assert sum(await asyncio.gather(*callers)) > 0
        await until(lambda: all(member.in_flight == 0 for member in upstream.members()))
        upstream.replace([a])
        await until(lambda: _retired(upstream) == 0)


def _retired(upstream: Upstream) -> int:
    upstream.replace([member.endpoint for member in upstream.members()])
    return len(upstream._retired)  # pyright: ignore[reportPrivateUsage]


async def test_the_name_that_led_to_an_address_is_what_the_service_is_told() -> None:
    hosts: list[bytes] = []

    async def noting(wire: Wire) -> None:
        hosts.extend((await wire.request()).values(b"host"))
        await wire.send(OK)

    async with serving(noting) as (_, endpoint):
        named = replace(endpoint, found_as="corpus.svc")
        async with upstream_to(named, limits=LIMITS) as upstream:
            await upstream.forward(request_for(), RecordingSink())
    assert hosts == [b"corpus.svc:%d" % endpoint.port]
