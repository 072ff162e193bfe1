"""Slots in a real Valkey: held, given back, put off, and freed after those who hold them have died."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.rate_limiting.rules import rules_of
from dhatu_gateway.rate_limiting.storage.holds import Holds, Place, lease_s
from dhatu_gateway.rate_limiting.storage.redis import PREFIX, RedisStorage
from dhatu_gateway.shared.link import Link, server_at
from gateway.rate_limiting.support import (
    Clock,
    caller,
    ended,
    limit,
    run,
    several,
    stage_of,
)
from gateway.rate_limiting.test_outage import Valkey, until, valkey
from redis.asyncio import Redis

__all__ = ["valkey"]

FRESH = map("held:{}".format, count())


async def opened(url: str, prefix: str = PREFIX) -> RedisStorage:
    """A storage that a busy machine does not put off."""
    storage = RedisStorage(Link(server_at(url), timeout_s=10.0), prefix=prefix)
    await storage.open()
    return storage


@pytest.fixture
async def storage(valkey_url: str) -> AsyncIterator[RedisStorage]:
    made = await opened(valkey_url, f"{next(FRESH)}:")
    yield made
    await made.close()


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[Redis]:
    """To look at what is stored."""
    made = Redis.from_url(valkey_url)  # pyright: ignore[reportUnknownMemberType]  # **kwargs has no type
    yield made
    await made.aclose()


async def slots(client: Redis, storage: RedisStorage) -> int:
    """How many are held in all, once the server has read what it was told."""
    await storage.ping()
    found: Any = await client.keys(storage.prefix + "*")  # pyright: ignore[reportUnknownMemberType]
    return sum([await client.zcard(key) for key in found if await client.type(key) == b"zset"])


def at_once(calls: int, **changes: Any) -> RateLimit:
    return limit(**({"algorithm": "concurrency", "limit": calls, "name": "open"} | changes))


async def refused(stage: Any, on: Exchange) -> str:
    with pytest.raises(ProblemError) as caught:
        await run(stage, on)
    assert caught.value.problem.status == 429
    return caught.value.problem.detail


@pytest.mark.parametrize(
    "of",
    [several(at_once(2)), several(at_once(2), limit(name="calls", burst=9)), several(at_once(4, cost=2))],
)
async def test_processes_share_the_slots_and_what_is_over_is_free_for_all(
    storage: RedisStorage, valkey_url: str, client: Redis, of: Route
) -> None:
    other = await opened(valkey_url, storage.prefix)
    here, there = stage_of(of, storage), stage_of(of, other)
    first, second = await run(here, caller()), await run(there, caller())
    for stage in (here, there):
        assert "at once" in await refused(stage, caller())
    await run(here, caller("bob"))
    ended(first)
    await asyncio.sleep(0)
    await storage.ping()
    await run(there, caller())
    ended(second)
    await other.close()
    assert await slots(client, storage) == 2 * of.rate_limits[0].cost, "those of bob and of the third call"


async def test_what_is_refused_holds_nothing_in_any_limit(storage: RedisStorage, client: Redis) -> None:
    stage = stage_of(
        several(at_once(5), at_once(1, name="all", by="operation"), limit(name="calls", burst=3)), storage
    )
    held = await run(stage, caller())
    for who in ("ada", "bob"):
        on = caller(who)
        assert "(all)" in await refused(stage, on)
        ended(on)
    assert await slots(client, storage) == 2
    ended(held)
    await asyncio.sleep(0)
    assert await slots(client, storage) == 0


async def test_in_shadow_mode_only_what_would_pass_is_held(storage: RedisStorage, client: Redis) -> None:
    stage = stage_of(several(at_once(1, shadow=True)), storage)
    first, second = await run(stage, caller()), await run(stage, caller())
    assert await slots(client, storage) == 1
    ended(second)
    await asyncio.sleep(0)
    assert await slots(client, storage) == 1
    ended(first)
    await asyncio.sleep(0)
    assert await slots(client, storage) == 0


async def test_many_that_end_together_are_given_back_in_one_command(
    storage: RedisStorage, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of(several(at_once(50)), storage)
    under_way = [await run(stage, caller()) for _ in range(50)]
    told: list[Any] = []
    tell = Link.tell

    def noted(link: Link, commands: Any, lost: Any) -> None:
        told.extend(commands)
        tell(link, commands, lost)

    monkeypatch.setattr(Link, "tell", noted)
    for on in under_way:
        ended(on)
    assert told == [], "the answer waits for nothing"
    await asyncio.sleep(0)
    assert len(told) == 1
    assert await slots(client, storage) == 0


async def test_a_call_that_is_cancelled_while_the_server_is_asked_holds_nothing(
    storage: RedisStorage, client: Redis
) -> None:
    stage = stage_of(several(at_once(5)), storage)
    await run(stage, caller("warm"))  # so that the server knows the script
    on = caller()
    task = asyncio.create_task(run(stage, on))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ended(on)
    await asyncio.sleep(0)
    assert await slots(client, storage) == 1


DIES = """
import asyncio, sys
from dhatu_gateway.shared.link import Link, server_at
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from gateway.rate_limiting.support import caller, limit, several, run, stage_of

async def main(url, prefix):
    storage = RedisStorage(Link(server_at(url), timeout_s=10.0), prefix=prefix)
    await storage.open()
    stage = stage_of(several(limit(name="open", algorithm="concurrency", limit=2)), storage)
    for _ in range(2):
        await run(stage, caller())
    print("held", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_that_is_killed_frees_its_slots_by_their_end(
    storage: RedisStorage, client: Redis
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DIES, client_url(client), storage.prefix),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"held\n"
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    of = several(at_once(2))
    await refused(stage_of(of, storage), caller())
    key = f"{storage.prefix}{rules_of(of)[0].space}:user:ada"
    first_us, last_us = sorted((await ends(client, key)).values())
    now_s, _ = await client.time()
    assert last_us / 1_000_000 - now_s <= lease_s(of.timeout_s) + 1

    async def allowed(now_us: float) -> int:
        taken, _ = await storage.run_at(int(now_us), [key], rules_of(of), hold=hold)
        return taken

    hold = storage.holds.begin((), 10.0)
    assert await allowed(first_us - 1) == 0
    assert await allowed(last_us) == 1


async def ends(client: Redis, key: str) -> dict[bytes, float]:
    """The slots of a key, and when each of them ends in microseconds."""
    found: Any = await client.zrange(key, 0, -1, withscores=True)
    return dict(found)


def client_url(client: Redis) -> str:
    known = client.connection_pool.connection_kwargs
    return f"redis://{known['host']}:{known['port']}"


async def test_what_is_held_for_long_is_put_off_and_what_is_over_is_not(
    storage: RedisStorage, client: Redis
) -> None:
    clock = Clock()
    holds = Holds(storage._link, clock)  # pyright: ignore[reportPrivateUsage]  # with a clock of its own
    key, place = f"{storage.prefix}somebody", Place(f"{storage.prefix}somebody".encode(), 2)
    long, over, young = holds.begin((), 30.0), holds.begin((), 30.0), holds.begin((), 90.0)
    for hold in (long, over, young):
        hold.keep([place])
    over.end()
    clock.now_s += 10
    before_s, _ = await client.time()
    holds.renew()
    await holds.close()
    after_s, _ = await client.time()
    found = await ends(client, key)
    assert sorted(found) == sorted(long.slots(place))
    assert all(before_s <= ends_us / 1_000_000 - 30 <= after_s + 1 for ends_us in found.values())
    assert before_s <= int(await client.expiretime(key)) - 40 <= after_s + 1


async def test_those_that_are_due_longest_are_put_off_first_and_not_all_at_once(
    storage: RedisStorage, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhatu_gateway.rate_limiting.storage.holds.MAX_PUT_OFF", 2)
    clock = Clock()
    holds = Holds(storage._link, clock)  # pyright: ignore[reportPrivateUsage]  # with a clock of its own
    place = Place(f"{storage.prefix}somebody".encode(), 1)
    begun = [holds.begin((), lease) for lease in (30.0, 27.0, 24.0)]
    for hold in begun:
        hold.keep([place])
    clock.now_s += 10
    for put_off in (begun[1:], begun):
        holds.renew()
        await storage.ping()
        found = await ends(client, f"{storage.prefix}somebody")
        assert sorted(found) == sorted(slot for hold in put_off for slot in hold.slots(place))
    await holds.close()


async def test_slots_outlive_a_server_that_lost_them(storage: RedisStorage, client: Redis) -> None:
    clock = Clock()
    storage.holds = Holds(storage._link, clock)  # pyright: ignore[reportPrivateUsage]
    stage = stage_of(several(at_once(2)), storage)
    first, _ = await run(stage, caller()), await run(stage, caller())
    await client.flushdb()  # pyright: ignore[reportUnknownMemberType]
    clock.now_s += 10
    storage.holds.renew()
    await refused(stage, caller())
    ended(first)
    await asyncio.sleep(0)
    await run(stage, caller())


@pytest.mark.parametrize("timeout_s", [0.5, 10.0, 25.0, 300.0])
def test_a_slot_outlives_its_process_by_the_timeout_and_never_for_long(timeout_s: float) -> None:
    assert lease_s(timeout_s) == min(timeout_s + 5, 30)


# -- while the server is out


def dead(share: float = 1.0) -> RedisStorage:
    return RedisStorage(Link(server_at("redis://127.0.0.1:1")), local_share=share)


@pytest.mark.parametrize(("share", "allowed"), [(1.0, 10), (0.25, 2), (0.01, 1)])
async def test_local_lets_each_process_have_its_share(share: float, allowed: int) -> None:
    stage = stage_of(several(at_once(10)), dead(share), Clock())
    under_way = [await run(stage, caller()) for _ in range(allowed)]
    await refused(stage, caller())
    ended(under_way[0])
    await run(stage, caller())


async def test_open_lets_everybody_in_and_closed_nobody() -> None:
    stage = stage_of(several(at_once(1, on_store_failure="open")), dead())
    for _ in range(5):
        assert not (await run(stage, caller())).on_end
    stage = stage_of(several(at_once(1, on_store_failure="closed")), dead())
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 503


async def test_what_ends_while_the_server_is_out_is_given_back_when_it_is_there_again(
    valkey: Valkey,
) -> None:
    link = Link(server_at(valkey.url))
    storage = RedisStorage(link)
    await storage.open()
    stage = stage_of(several(at_once(2, on_store_failure="open")), storage)
    under_way = [await run(stage, caller()) for _ in range(2)]
    valkey.pause()
    # Nobody knows what becomes of this one; it is under way all the same, and given back in the end.
    under_way.append(await run(stage, caller()))
    await until(lambda: not link.is_closed)
    for on in under_way:
        ended(on)
    valkey.resume()
    await until(lambda: link.is_closed)
    async with asyncio.timeout(20):
        while not await is_free(stage):  # noqa: ASYNC110  # what was not given back is told again by and by
            await asyncio.sleep(0.05)
    await storage.close()


async def is_free(stage: Any) -> bool:
    """Whether two more can be under way."""
    held: list[Exchange] = []
    try:
        for _ in range(2):
            on = caller()
            held.append(on)
            await run(stage, on)
    except ProblemError:
        return False
    finally:
        for on in held:
            ended(on)
        await asyncio.sleep(0)
    return True
