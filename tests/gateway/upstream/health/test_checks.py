"""Active checks: when they come, what they conclude, and what they take for healthy on a real socket."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import pytest
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.health.checks import HealthChecks, Rhythm, Streak
from dhatu_gateway.core.upstream.health.probe import build_probe
from dhatu_gateway.core.upstream.health.record import Record
from dhatu_gateway.core.upstream.policy import Balance, HealthCheck, UpstreamPolicy
from gateway.upstream.scripted import OK, Wire, answering_forever, exchange, serving, until, upstream_to

HTTP = HealthCheck(kind="http")


@pytest.mark.parametrize(
    ("initially", "results", "states"),
    [
        ("healthy", "---++", "HHUUH"),
        ("healthy", "--+--+", "HHHHHH"),
        ("healthy", "---+-++", "HHUUUUH"),
        ("unhealthy", "+", "H"),
        ("unhealthy", "-+", "UU"),
        ("unhealthy", "-++", "UUH"),
    ],
)
def test_it_takes_results_in_a_row(
    initially: Literal["healthy", "unhealthy"], results: str, states: str
) -> None:
    streak = Streak(dataclasses.replace(HTTP, initially=initially))
    seen = ""
    for result in results:
        before = streak.well
        assert streak.count(passed=result == "+") == (streak.well != before)
        seen += "H" if streak.well else "U"
    assert seen == states


@dataclasses.dataclass(eq=False)
class Member:
    endpoint: Endpoint
    health: Record = dataclasses.field(default_factory=lambda: Record(0.0))


@dataclasses.dataclass
class Clock:
    """Sleeps at once, and remembers for how long; stops the one who sleeps once too often."""

    most: int
    slept: list[float] = dataclasses.field(default_factory=list)
    over: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        if len(self.slept) >= self.most:
            self.over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


async def run_checks(policy: HealthCheck, faults: list[str], chance: float) -> tuple[Clock, list[bool]]:
    """Check one endpoint, each time with the next outcome."""
    member = Member(Endpoint(host="127.0.0.1", port=1))
    heard: list[bool] = []
    clock = Clock(most=len(faults) + 1)
    results = iter(faults)

    async def probe(endpoint: Endpoint) -> str:
        return next(results)

    def changed(member: Member) -> None:
        heard.append(member.health.is_well)

    checks: HealthChecks[Member] = HealthChecks(
        policy, probe, changed, Rhythm(sleep=clock.sleep, random=lambda: chance)
    )
    checks.watch([member])
    await clock.over.wait()
    await checks.close()
    return clock, heard


async def test_who_fails_three_times_is_left_out_until_it_succeeds_twice() -> None:
    _, heard = await run_checks(HTTP, ["", "x", "x", "x", "", "", "x"], 0.0)
    assert heard == [False, True]


async def test_checks_are_spread_by_chance() -> None:
    policy = dataclasses.replace(HTTP, interval_s=10.0, jitter=0.2)
    clock, _ = await run_checks(policy, ["", ""], 0.5)
    assert clock.slept == [1.0, 11.0, 11.0]


async def test_who_has_left_is_asked_no_more() -> None:
    asked: list[int] = []

    async def probe(endpoint: Endpoint) -> str:
        asked.append(endpoint.port)
        return ""

    turns = asyncio.Event()

    async def sleep(delay_s: float) -> None:
        if len(asked) >= 20:
            turns.set()
        await asyncio.sleep(0)

    def changed(member: Member) -> None: ...

    checks: HealthChecks[Member] = HealthChecks(HTTP, probe, changed, Rhythm(sleep=sleep, random=lambda: 0.0))
    stays, leaves = (Member(Endpoint(host="127.0.0.1", port=port)) for port in (1, 2))
    checks.watch([stays, leaves])
    await turns.wait()
    assert set(asked) == {1, 2}
    checks.watch([stays])
    asked.clear()
    turns.clear()
    await turns.wait()
    await checks.close()
    assert set(asked) == {1}


def probed(**changes: Any) -> Callable[[Endpoint], Any]:
    return build_probe(dataclasses.replace(HTTP, **changes), None)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (OK, ""),
        (b"HTTP/1.0 204 No Content\r\n\r\n", ""),
        (
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "it answered 503 to /health?deep=1",
        ),
        (b"HTTP/1.1 302 Found\r\n\r\n", "it answered 302 to /health?deep=1"),
        (b"hello\r\n", "its answer is not HTTP/1.1"),
        (b"x" * 70_000, "chunk"),
        (b"", "its answer is not HTTP/1.1"),
    ],
)
async def test_a_status_says_how_an_endpoint_is(answer: bytes, fault: str) -> None:
    seen: list[bytes] = []

    async def script(wire: Wire) -> None:
        request = await wire.request()
        seen.append(request.line)
        await wire.send(answer)

    async with serving(script) as (_, endpoint):
        found = await probed(path="/health?deep=1")(endpoint)
    assert fault in found
    assert bool(fault) == bool(found)
    assert seen == [b"GET /health?deep=1 HTTP/1.1"]


async def test_other_statuses_can_be_good_ones() -> None:
    script = answering_forever(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
    async with serving(script) as (_, endpoint):
        assert await probed(statuses=((200, 299), (401, 401)))(endpoint) == ""


async def test_a_connection_can_be_enough() -> None:
    async with serving(answering_forever()) as (service, endpoint):
        assert await probed(kind="tcp")(endpoint) == ""
        await service.finished.wait()
    assert await probed(kind="tcp")(endpoint)


async def test_silence_is_a_fault() -> None:
    async def silence(wire: Wire) -> None:
        await wire.closed()

    async with serving(silence) as (_, endpoint):
        assert await probed(timeout_s=0.05)(endpoint) == "no answer within 0.05 s"


async def test_an_endpoint_that_fails_its_checks_gets_no_requests() -> None:
    """On real sockets: one of two services says that it is not well, and later that it is."""
    sick = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
    state = {"health": sick}

    async def moody(wire: Wire) -> None:
        while True:
            request = await wire.request()
            is_check = request.line.startswith(b"GET /health")
            await wire.send(state["health"] if is_check else OK.replace(b"ok", b"no"))

    policy = UpstreamPolicy(
        balance=Balance(algorithm="round_robin"),
        health=HealthCheck(kind="http", interval_s=0.02, jitter=0.0, unhealthy_after=1, healthy_after=1),
    )
    async with (
        serving(moody) as (_, first),
        serving(answering_forever()) as (_, second),
        upstream_to(first, second, policy=policy) as upstream,
    ):
        member = upstream.members()[0]
        await until(lambda: not member.health.is_well)
        assert {(await exchange(upstream)).content for _ in range(6)} == {b"ok"}
        state["health"] = OK
        await until(lambda: member.health.is_well)
        assert {(await exchange(upstream)).content for _ in range(6)} == {b"ok", b"no"}
