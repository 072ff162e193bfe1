"""A gateway is restarted while it is called, one worker or one gateway after the other: no call fails."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chaos.clients import PATIENCE_S, Load, Request
from chaos.conftest import Stages
from chaos.crowd import SlowReader
from chaos.sdk import sdk_load
from chaos.service import LARGE
from chaos.world import quiet_ports
from dhatu_client import DhatuAPI
from gateway.processes.support import Running, gateway

CALLS = 100
CLIENTS = 3
STREAMS = 8
BODY = b'{"text": "' + b"sound " * 2_000 + b'"}'


async def test_workers_are_renewed_and_no_call_fails(stages: Stages) -> None:
    """Over connections that stay open and new ones, with bodies, and of answers that have begun before."""
    async with asyncio.timeout(4 * PATIENCE_S), stages(2).world() as w:
        before = w.gateway.workers()
        readers = [SlowReader() for _ in range(STREAMS)]
        await asyncio.gather(*(reader.ask(w.port) for reader in readers))
        reads, fresh = w.load("plain/items"), w.load("plain/items", Connection="close")
        posts = w.load_of(Request(target="/api/v1/plain/items", method="POST", body=BODY))
        async with reads.running(CLIENTS), fresh.running(CLIENTS), posts.running(CLIENTS):
            os.kill(w.gateway.process.pid, signal.SIGUSR2)
            await _while_calling(reads, lambda: bool(w.gateway.workers() - before))
            received = [await reader.rest() for reader in readers]
            await _while_calling(reads, lambda: not w.gateway.workers() & before)
            await posts.further(CALLS)
        assert (reads.failed, fresh.failed, posts.failed) == ({}, {}, {})
        assert min(received) > LARGE  # and the head
        assert {outcome.received for outcome in posts.outcomes} == {len(BODY)}
        for reader in readers:
            reader.close()


async def test_gateways_are_restarted_behind_the_sdk_and_none_of_its_calls_fails(
    stages: Stages, tmp_path: Path
) -> None:
    """Calls that must not be repeated are made of the other gateway before anything was sent."""
    stands = stages(1)
    async with asyncio.timeout(4 * PATIENCE_S), stands.world():
        with _replica(tmp_path, stands.settings) as first, _replica(tmp_path, stands.settings) as second:
            await asyncio.gather(*(asyncio.to_thread(replica.start) for replica in (first, second)))
            async with DhatuAPI(base_url=[first.url, second.url]) as client:
                safe, keyed, never = (
                    sdk_load(client, "plain", retry) for retry in ("safe", "keyed", "never")
                )
                async with safe.running(CLIENTS), keyed.running(CLIENTS), never.running(CLIENTS):
                    for replica in (first, second):
                        await asyncio.gather(*(load.further(CALLS) for load in (safe, keyed, never)))
                        await asyncio.to_thread(replica.stop)
                        await never.further(CALLS)
                        await asyncio.to_thread(replica.start)
                    await asyncio.gather(*(load.further(CALLS) for load in (safe, keyed, never)))
        assert (safe.failed, keyed.failed, never.failed) == ({}, {}, {})


class Replica:
    """One of several gateways, always at the same address."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        [port] = quiet_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._settings = {**settings, "GATEWAY_PORT": str(port)}
        self._directory = directory
        self._open = ExitStack()
        self._running: Running | None = None

    def start(self) -> None:
        self._running = self._open.enter_context(gateway(self._directory, **self._settings))
        self._running.logged("ready")

    def stop(self) -> None:
        """Let it drain, and wait until it has ended."""
        assert self._running is not None
        self._running.process.terminate()
        assert self._running.process.wait(PATIENCE_S) == 0
        self.close()

    def close(self) -> None:
        self._open.close()


@contextmanager
def _replica(directory: Path, settings: Mapping[str, str]) -> Generator[Replica]:
    replica = Replica(directory, settings)
    try:
        yield replica
    finally:
        replica.close()


async def _while_calling(load: Load, true: Callable[[], bool]) -> None:
    """Wait, however busy the machine is; the calls go on meanwhile."""
    while not true():
        await load.further(10)
