"""One suite over every place where answers to idempotency keys are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from dhatu_gateway.core.idempotency.memory import MemoryAnswers
from dhatu_gateway.core.idempotency.records import KeptAnswer, Running, Started
from dhatu_gateway.core.idempotency.redis import RedisAnswers
from dhatu_gateway.core.idempotency.store import AnswerStore
from dhatu_gateway.shared.link import Link, StorageUnavailableError, server_at

Pass = Callable[[float], Awaitable[None]]
"""Lets so many seconds go by."""


def answer(body: bytes | None = b"\x00done\n", fingerprint: str = "f") -> KeptAnswer:
    headers = ((b"content-type", b"text/plain"), (b"x-odd", b"\xe9"))
    return KeptAnswer(fingerprint=fingerprint, status=201, headers=headers, body=body)


@pytest.fixture(params=["memory", "redis"])
async def stores(
    request: pytest.FixtureRequest, valkey_url: str
) -> AsyncIterator[tuple[AnswerStore, AnswerStore, Pass]]:
    """A store as two processes see it (one, of memory), and how to let time go by."""
    if request.param == "memory":
        now_s = [1000.0]

        async def later(seconds: float) -> None:
            now_s[0] += seconds

        store = MemoryAnswers(clock=lambda: now_s[0])
        yield store, store, later
        return
    links = [Link(server_at(valkey_url), timeout_s=10.0) for _ in range(2)]
    for link in links:
        await link.open()
    prefix = f"test:{uuid4().hex}:"
    yield RedisAnswers(links[0], prefix=prefix), RedisAnswers(links[1], prefix=prefix), asyncio.sleep
    for link in links:
        await link.close()


Stores = tuple[AnswerStore, AnswerStore, Pass]


async def test_one_of_many_starts_and_the_others_are_told_that_it_runs(stores: Stores) -> None:
    one, other, _ = stores
    asked = [(one if n % 2 else other).begin("key", f"holder {n}", hold_s=60) for n in range(20)]
    found = await asyncio.gather(*asked)
    assert found.count(Started()) == 1
    assert found.count(Running()) == 19


async def test_the_first_answer_is_given_again(stores: Stores) -> None:
    one, other, _ = stores
    assert await one.begin("key", "a", hold_s=60) == Started()
    await one.finish("key", "a", answer(), keep_s=60)
    assert await other.begin("key", "b", hold_s=60) == answer()
    assert await one.begin("another", "b", hold_s=60) == Started()


async def test_that_an_answer_was_too_large_is_kept(stores: Stores) -> None:
    one, other, _ = stores
    await one.begin("key", "a", hold_s=60)
    await one.finish("key", "a", answer(None), keep_s=60)
    assert await other.begin("key", "b", hold_s=60) == answer(None)


async def test_an_abandoned_key_is_free(stores: Stores) -> None:
    one, other, _ = stores
    await one.begin("key", "a", hold_s=60)
    await one.abandon("key", "a")
    assert await other.begin("key", "b", hold_s=60) == Started()


async def test_a_key_that_nobody_ends_is_free_in_the_end(stores: Stores) -> None:
    one, other, later = stores
    await one.begin("key", "a", hold_s=0.05)
    await later(0.2)
    assert await other.begin("key", "b", hold_s=60) == Started()
    # Whoever comes back too late changes nothing.
    await one.finish("key", "a", answer(), keep_s=60)
    await one.abandon("key", "a")
    assert await other.begin("key", "c", hold_s=60) == Running()


async def test_an_answer_is_kept_for_its_time_only(stores: Stores) -> None:
    one, other, later = stores
    await one.begin("key", "a", hold_s=60)
    await one.finish("key", "a", answer(), keep_s=0.05)
    await later(0.2)
    assert await other.begin("key", "b", hold_s=60) == Started()


async def test_only_the_holder_ends_a_key(stores: Stores) -> None:
    one, other, _ = stores
    await one.begin("key", "a", hold_s=60)
    await other.abandon("key", "b")
    await other.finish("key", "b", answer(fingerprint="wrong"), keep_s=60)
    assert await one.begin("key", "c", hold_s=60) == Running()


async def test_memory_that_is_full_drops_the_oldest_answers_and_no_key_that_is_held() -> None:
    store = MemoryAnswers(max_bytes=20_000)
    await store.begin("held", "a", hold_s=60)
    for number in range(10):
        await store.begin(f"key {number}", "a", hold_s=60)
        await store.finish(f"key {number}", "a", answer(bytes(4_000)), keep_s=60)
    assert await store.begin("held", "b", hold_s=60) == Running()
    assert await store.begin("key 0", "b", hold_s=60) == Started()
    assert await store.begin("key 9", "b", hold_s=60) == answer(bytes(4_000))


async def test_a_server_that_is_out_is_said_to_be(valkey_url: str) -> None:
    store = RedisAnswers(Link(server_at(valkey_url)))
    with pytest.raises(StorageUnavailableError):
        await store.begin("key", "a", hold_s=60)
