"""What the health of the parts says about the whole."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.monitoring.health import (
    Check,
    EndpointView,
    Health,
    ServiceView,
    SourceView,
    Status,
    combined,
    service_check,
    store_check,
)


def fixed(name: str, status: Status, *, essential: bool = False) -> Check:
    async def run() -> Status:
        return status

    return Check(name=name, run=run, essential=essential)


async def fail() -> None:
    raise OSError("disk on fire")


async def succeed() -> None:
    return None


@pytest.mark.parametrize(
    ("checks", "status", "ready"),
    [
        ([], "ok", True),
        ([fixed("store", "ok", essential=True), fixed("corpus", "ok")], "ok", True),
        ([fixed("store", "ok", essential=True), fixed("corpus", "failed")], "degraded", True),
        ([fixed("corpus", "degraded")], "degraded", True),
        ([store_check("store", fail, essential=True), fixed("corpus", "ok")], "failed", False),
        ([store_check("limits", fail, essential=False)], "degraded", True),
        ([store_check("store", succeed, essential=True)], "ok", True),
    ],
)
async def test_only_what_is_essential_makes_the_gateway_unready(
    checks: list[Check], status: Status, ready: bool
) -> None:
    report = await Health(checks).report()
    assert (report.status, report.ready) == (status, ready)


async def test_checks_are_sorted_and_failures_named() -> None:
    report = await Health(
        [store_check("b", fail, essential=True), fixed("c", "ok"), fixed("a", "ok")]
    ).report()
    assert report.checks == (("a", "ok"), ("b", "failed"), ("c", "ok"))
    assert report.failed_essentials == ("b",)


async def test_a_check_that_hangs_counts_as_failed() -> None:
    async def hang() -> Status:
        await asyncio.Event().wait()
        return "ok"

    health = Health([Check(name="slow", run=hang, essential=False)], timeout_s=0.0)
    assert (await health.report()).checks == (("slow", "failed"),)


async def test_many_callers_cause_one_round_of_checks() -> None:
    rounds = 0
    now_s = 100.0

    async def run() -> Status:
        nonlocal rounds
        rounds += 1
        await asyncio.sleep(0)
        return "ok"

    health = Health([Check(name="a", run=run, essential=False)], fresh_s=2.0, clock=lambda: now_s)
    await asyncio.gather(*(health.report() for _ in range(20)))
    assert rounds == 1
    now_s += 1.9
    await health.report()
    assert rounds == 1
    now_s += 0.1
    await health.report()
    assert rounds == 2


async def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


async def listening(handle: Callable[[], Awaitable[None]] = succeed) -> asyncio.Server:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle()
        writer.close()

    return await asyncio.start_server(accept, "127.0.0.1", 0)


def no_source() -> SourceView:
    return SourceView(kind="static", good_at_s=None, failures=0, error="")


async def test_a_service_is_reachable_where_somebody_listens() -> None:
    server = await listening()
    up = Endpoint(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    down = Endpoint(host="127.0.0.1", port=await closed_port())
    for endpoints, status in (((up,), "ok"), ((up, down), "degraded"), ((down,), "failed"), ((), "unknown")):
        views = [EndpointView(endpoint=endpoint) for endpoint in endpoints]
        view = ServiceView(name="corpus", endpoints=partial(list, views), source=no_source)
        assert await service_check(view).run() == status
    server.close()
    await server.wait_closed()


def test_several_statuses_in_one_word() -> None:
    assert combined(["ok", "ok"]) == "ok"
    assert combined(["failed", "failed"]) == "failed"
    assert combined(["ok", "failed"]) == "degraded"
