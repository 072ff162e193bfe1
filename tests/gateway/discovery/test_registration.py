"""The gateway's own entry in Consul: there while it serves, made anew where it is lost, and gone with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.core.discovery.registration import OwnService, Registration
from dhatu_gateway.core.discovery.source import Rhythm
from gateway.discovery.support import FakeConsul, admin_key, checks, entry, until
from gateway.processes.support import gateway
from gateway.processes.support import until as wait_until

OWN = OwnService(name="edge", identifier="edge-1", address="127.0.0.1", port=8000, tags=("a", "b"))


class Beats:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []
        self._more = asyncio.Semaphore(0)

    async def sleep(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)
        await self._more.acquire()

    async def next(self) -> None:
        """Let one beat happen, and wait for its end."""
        seen = len(self.pauses_s)
        self._more.release()
        await until(lambda: len(self.pauses_s) > seen)

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(sleep=self.sleep, random=lambda: 1.0, wall_clock=lambda: 1000.0)


@asynccontextmanager
async def kept(
    consul: FakeConsul, own: OwnService = OWN, *, token: str = "", well: list[bool] | None = None
) -> AsyncGenerator[tuple[Registration, Beats]]:
    """Once its first beat is over."""
    beats, client = Beats(), consul.client(token)
    registration = Registration(own, client, lambda: well is None or well[-1], beats.rhythm)
    keeping = asyncio.create_task(registration.keep())
    try:
        await until(lambda: bool(beats.pauses_s))
        yield registration, beats
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        await client.close()


async def test_what_the_operator_says_is_what_others_find(consul: FakeConsul) -> None:
    async with kept(consul, replace(OWN, meta={"version": "1.2"})) as (registration, beats):
        found = entry(consul, "edge-1")
        assert found is not None
        assert (found["Service"], found["Address"], found["Port"]) == ("edge", "127.0.0.1", 8000)
        assert (found["Tags"], found["Meta"]) == (["a", "b"], {"version": "1.2"})
        assert checks(consul) == {"service:edge-1": "passing"}
        assert [found["Service"]["ID"] for found in consul.get("/v1/health/service/edge?passing")] == [
            "edge-1"
        ]
        view = registration.view
        assert (view.state, view.good_at_s, view.failures, view.error) == ("registered", 1000.0, 0, "")
        assert beats.pauses_s == [10.0]


async def test_it_stays_well_by_its_beats_and_is_dropped_without(consul: FakeConsul) -> None:
    async with kept(consul) as (_, beats):
        consul.misbehave(pass_s=25)
        await beats.next()
        consul.misbehave(pass_s=25)
        await asyncio.sleep(0.15)
        assert checks(consul) == {"service:edge-1": "passing"}
        consul.misbehave(pass_s=10)
        await until(lambda: checks(consul) == {"service:edge-1": "critical"})
        consul.misbehave(pass_s=301)
        await until(lambda: entry(consul, "edge-1") is None)
        await beats.next()
        assert checks(consul) == {"service:edge-1": "passing"}


async def test_a_gateway_without_any_worker_says_so(consul: FakeConsul) -> None:
    well = [True]
    async with kept(consul, well=well) as (_, beats):
        well.append(False)
        await beats.next()
        assert checks(consul) == {"service:edge-1": "critical"}
        consul.misbehave(reset=True)
        await beats.next()
        assert checks(consul) == {"service:edge-1": "critical"}
        well.append(True)
        await beats.next()
        assert checks(consul) == {"service:edge-1": "passing"}


async def test_an_agent_that_has_forgotten_it_is_told_anew(consul: FakeConsul) -> None:
    async with kept(consul) as (registration, beats):
        consul.misbehave(reset=True)
        await beats.next()
        assert entry(consul, "edge-1") is not None
        assert registration.view.error == ""


async def test_a_check_of_before_does_not_stay_beside_the_new_one(consul: FakeConsul) -> None:
    consul.register("edge", "edge-1", 1, Checks=[{"CheckID": "old", "TTL": "15s"}])
    async with kept(consul):
        assert checks(consul) == {"service:edge-1": "passing"}


async def test_an_agent_that_is_out_is_asked_again_with_growing_pauses(consul: FakeConsul) -> None:
    consul.misbehave(status=500, text="No cluster leader")
    async with kept(consul) as (registration, beats):
        for _ in range(5):
            await beats.next()
        assert beats.pauses_s == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0]
        view = registration.view
        assert (view.state, view.good_at_s, view.failures) == ("waiting", None, 6)
        assert "500: No cluster leader" in view.error
        consul.misbehave()
        await beats.next()
        assert (registration.view.state, registration.view.error) == ("registered", "")


async def test_a_token_that_may_not_write_is_named_with_what_it_needs(consul: FakeConsul) -> None:
    consul.misbehave(token="s3cret")
    async with kept(consul) as (registration, _):
        assert "403: Permission denied" in registration.view.error
        assert "needs service:write for edge" in registration.view.error
    async with kept(consul, token="s3cret") as (registration, _):
        assert registration.view.state == "registered"
        assert entry(consul, "edge-1", "s3cret") is not None


async def test_it_takes_its_entry_back_whatever_the_agent_says(
    consul: FakeConsul,
) -> None:
    async with kept(consul) as (registration, _):
        await registration.withdraw()
        assert entry(consul, "edge-1") is None
        assert registration.view.state == "waiting"
    async with kept(consul) as (registration, _):
        consul.deregister("edge-1")
        await registration.withdraw()  # gone already
    async with kept(consul) as (registration, _):
        consul.misbehave(status=500)
        await registration.withdraw()
        consul.misbehave()
        assert entry(consul, "edge-1") is not None


def status_of(running: Any, key: str) -> Any:
    status, found = running.ask("/api/v1/status", {"X-API-Key": key})
    assert status == 200, found
    return found["registration"]


def environment(consul: FakeConsul, directory: Path, **more: str) -> dict[str, str]:
    return {
        "CONSUL_URL": consul.url,
        "GATEWAY_CONSUL_REGISTER": "api-gateway",
        "GATEWAY_CONSUL_ID": "gw-1",
        "GATEWAY_DATABASE": str(directory / "keys.sqlite3"),
        **more,
    }


@pytest.mark.xdist_group("workers")
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_gateway_is_found_once_while_it_serves(
    consul: FakeConsul, tmp_path: Path, workers: str
) -> None:
    key = await admin_key(tmp_path / "keys.sqlite3")
    slow = {"GATEWAY_DRAIN_DELAY_S": "30", "GATEWAY_CONSUL_CHECK": "http", "GATEWAY_CONSUL_INTERVAL_S": "1"}
    with gateway(tmp_path, **environment(consul, tmp_path, GATEWAY_WORKERS=workers, **slow)) as running:
        wait_until(lambda: entry(consul, "gw-1") is not None, "it is not registered")
        found = consul.get("/v1/agent/services")
        assert {name: service["Port"] for name, service in found.items()} == {"gw-1": running.port}
        wait_until(lambda: checks(consul) == {"service:gw-1": "passing"}, "the agent does not find it well")
        for _ in range(4):  # whichever worker answers
            shown = status_of(running, key)
            assert (shown["state"], shown["service"], shown["id"]) == ("registered", "api-gateway", "gw-1")
        asked = consul.misbehave()
        assert len([line for line in asked if line.startswith("PUT /v1/agent/service/register")]) == 1
        consul.misbehave(reset=True)
        wait_until(lambda: entry(consul, "gw-1") is not None, "it is not registered again")
        running.process.send_signal(signal.SIGTERM)
        wait_until(lambda: entry(consul, "gw-1") is None, "it stays registered while it drains")
        assert running.process.poll() is None
        assert running.ask("/api/v1/health/live")[0] == 200  # those who have not heard of it are served
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0


@pytest.mark.xdist_group("workers")
async def test_a_consul_that_is_down_neither_delays_the_start_nor_the_end(
    consul: FakeConsul, tmp_path: Path
) -> None:
    key = await admin_key(tmp_path / "keys.sqlite3")
    nowhere = environment(consul, tmp_path, CONSUL_URL="http://127.0.0.1:9")
    with gateway(tmp_path, **nowhere) as running:
        running.logged("ready")
        running.logged("the registration in Consul: Consul cannot be reached")
        shown = status_of(running, key)
        assert (shown["state"], shown["good_at"]) == ("waiting", None)
        assert "cannot be reached" in shown["error"]
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
