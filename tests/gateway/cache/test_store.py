"""One suite over every place where answers are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from dhatu_gateway.core.cache.entries import Entry, Variants
from dhatu_gateway.core.cache.memory import MemoryCache
from dhatu_gateway.core.cache.redis import RedisCache
from dhatu_gateway.core.cache.store import CacheStore
from dhatu_gateway.shared.link import Link, server_at

Stores = tuple[CacheStore, CacheStore]


def entry(body: bytes = b"\x00one\n") -> Entry:
    return Entry(
        status=200,
        headers=((b"etag", b'"1"'),),
        body=body,
        stored_at_s=1.0,
        initial_age_s=0.0,
        fresh_s=30.0,
        stale_if_error_s=0.0,
        must_revalidate=False,
    )


@pytest.fixture(params=["memory", "redis"])
async def stores(request: pytest.FixtureRequest, valkey_url: str) -> AsyncIterator[Stores]:
    """A store as two processes see it; one process, of memory."""
    if request.param == "memory":
        store = MemoryCache()
        yield store, store
        return
    links = [Link(server_at(valkey_url), timeout_s=10.0) for _ in range(2)]
    for link in links:
        await link.open()
    prefix = f"test:{uuid4().hex}:"
    yield RedisCache(links[0], prefix=prefix), RedisCache(links[1], prefix=prefix)
    for link in links:
        await link.close()


async def keep(store: CacheStore, place: str, name: str, kept: Entry | Variants) -> None:
    _, ticket = await store.find(place, name)
    await store.keep(place, name, kept, ticket=ticket, keep_s=60)


async def test_what_is_kept_is_found_by_all(stores: Stores) -> None:
    one, other = stores
    await keep(one, "place", "a", entry())
    await keep(one, "place", "b", Variants(names=(b"accept",)))
    assert (await other.find("place", "a")).kept == entry()
    assert (await other.find("place", "b")).kept == Variants(names=(b"accept",))
    assert (await other.find("place", "c")).kept is None
    assert (await other.find("elsewhere", "a")).kept is None


async def test_a_place_is_forgotten_with_all_that_is_kept_of_it(stores: Stores) -> None:
    one, other = stores
    for name in ("a", "b"):
        await keep(one, "place", name, entry())
    await keep(one, "elsewhere", "a", entry())
    await other.forget("place")
    assert [(await one.find("place", name)).kept for name in ("a", "b")] == [None, None]
    assert (await one.find("elsewhere", "a")).kept == entry()
    await keep(one, "place", "a", entry(b"new"))
    assert (await other.find("place", "a")).kept == entry(b"new")


async def test_an_answer_from_before_a_change_is_not_kept_after_it(stores: Stores) -> None:
    one, other = stores
    _, ticket = await one.find("place", "a")
    await other.forget("place")
    await one.keep("place", "a", entry(b"old"), ticket=ticket, keep_s=60)
    assert (await other.find("place", "a")).kept is None


async def test_an_answer_is_kept_for_its_time_only() -> None:
    now_s = 100.0
    store = MemoryCache(clock=lambda: now_s)
    await keep(store, "place", "a", entry())
    now_s += 59
    assert (await store.find("place", "a")).kept == entry()
    now_s += 2
    assert (await store.find("place", "a")).kept is None


async def test_memory_that_is_full_drops_what_was_used_least_lately() -> None:
    store = MemoryCache(max_bytes=16_000)
    for name in "abc":
        await keep(store, "place", name, entry(bytes(4_000)))
    await store.find("place", "a")
    await keep(store, "place", "d", entry(bytes(4_000)))
    found = {name: (await store.find("place", name)).kept is not None for name in "abcd"}
    assert found == {"a": True, "b": False, "c": True, "d": True}
    await keep(store, "place", "huge", entry(bytes(20_000)))
    assert (await store.find("place", "huge")).kept is None
    assert (await store.find("place", "d")).kept is not None


async def test_without_its_server_nothing_is_found_and_nothing_fails(valkey_url: str) -> None:
    store = RedisCache(Link(server_at(valkey_url)))
    await keep(store, "place", "a", entry())
    await store.forget("place")
    assert (await store.find("place", "a")).kept is None
