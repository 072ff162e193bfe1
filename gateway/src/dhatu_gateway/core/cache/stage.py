"""Wraps what answers a route, so that an answer that still holds is not made again.

RFC 9111 as a shared cache, RFC 5861 for answers that stand in for errors, RFC 9211 for what is said of it.
Whatever the service says of its answers counts more than x-dhatu, which speaks where the service is silent.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from dhatu_gateway.core.cache.conditions import (
    CONDITIONS,
    NOT_MODIFIED_FIELDS,
    is_left_to_the_service,
    is_unchanged,
    validators,
)
from dhatu_gateway.core.cache.directives import Directives, directives_of
from dhatu_gateway.core.cache.entries import (
    MAX_VARIANT_NAMES,
    Entry,
    Rules,
    Variants,
    is_usable,
    make_entry,
    renewed,
    stands_in,
    storable,
)
from dhatu_gateway.core.cache.flights import Flights
from dhatu_gateway.core.cache.recording import Recording
from dhatu_gateway.core.cache.store import CacheStore
from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.forward import Terminal
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Cache, Route
from dhatu_gateway.core.upstream.errors import ClientDisconnected

_ERRORS = frozenset({500, 502, 503, 504})
"""RFC 5861 section 4."""
STALE = b"hit; fwd=stale; detail=stale-if-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Times of the day are what HTTP's dates are held against; deadlines are on the other clock."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class _Look:
    """One request to the cache: where its answer would be, and what is there."""

    __slots__ = ("asked", "entry", "name", "place", "ticket")

    def __init__(self, place: str, name: str, asked: Directives) -> None:
        self.place, self.name, self.asked = place, name, asked
        self.entry: Entry | None = None
        self.ticket = b""


class ResponseCache:
    """The answers of every route that has a cache."""

    def __init__(self, store: CacheStore, header_prefix: str, clocks: Clocks | None = None) -> None:
        self._store = store
        self._clocks = clocks or Clocks()
        self._flights = Flights(self._clocks.monotonic)
        self._degraded: Header = (f"{header_prefix}Degraded".lower().encode(), b"stale")

    def build(self, route: Route, terminal: Terminal) -> Terminal:
        """Wrap what answers a route; the same where x-dhatu gives it no cache."""
        if route.cache is None or route.method != "GET":
            return terminal
        return _Cached(self, route, route.cache, terminal)

    def build_forgetting(self, route: Route, terminal: Terminal) -> Terminal:
        """Wrap what answers a route that changes things: what is kept of its path no longer holds.

        RFC 9111 section 4.4. For routes beside one that has a cache, on the same path, whatever its version.
        """
        place_of = build_place(route)

        async def forget(exchange: Exchange) -> None:
            await terminal(exchange)
            if 200 <= exchange.status < 400:
                await self._store.forget(place_of(exchange.path))

        return forget

    async def look(self, exchange: Exchange, look: _Look) -> _Look:
        """Find what is kept for a request."""
        kept, look.ticket = await self._store.find(look.place, look.name)
        if isinstance(kept, Variants):
            look.name = _variant(look.name, kept.names, exchange)
            kept, look.ticket = await self._store.find(look.place, look.name)
        look.entry = kept if isinstance(kept, Entry) else None
        return look

    async def keep(self, exchange: Exchange, look: _Look, base: str, entry: Entry) -> None:
        """Keep an answer, under the fields of the request that it names in Vary."""
        names = entry.varies_by
        if len(names) > MAX_VARIANT_NAMES:
            return
        name = base
        if names:
            variants = Variants(names=names)
            await self._store.keep(
                look.place, base, variants, ticket=look.ticket, keep_s=max(entry.kept_s, 60.0)
            )
            name = _variant(base, names, exchange)
        await self._store.keep(look.place, name, entry, ticket=look.ticket, keep_s=entry.kept_s)

    async def serve(self, exchange: Exchange, entry: Entry, said: bytes, *, degraded: bool = False) -> None:
        """Answer with what is kept."""
        now_s = self._clocks.wall()
        own = [header for header in exchange.response_headers if header[0] != b"cache-status"]
        own += [(b"age", b"%d" % entry.age_s(now_s)), (b"cache-status", b"dhatu; " + said)]
        if degraded:
            own.append(self._degraded)
        if is_unchanged(entry, exchange.fields):
            status, body = 304, b""
            headers = [header for header in entry.headers if header[0] in NOT_MODIFIED_FIELDS]
        else:
            status, body = entry.status, entry.body
            headers = [header for header in entry.headers if header[0] != b"content-length"]
            if status != 204:
                headers.append((b"content-length", b"%d" % len(body)))
        exchange.status = status
        await exchange.send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})
        sent = b"" if exchange.method == "HEAD" else body
        await exchange.send({"type": "http.response.body", "body": sent, "more_body": False})

    @property
    def flights(self) -> Flights:
        """Who asks a service for what right now."""
        return self._flights

    def now_s(self) -> float:
        """Since the epoch."""
        return self._clocks.wall()


class _Cached:
    """What answers one route."""

    def __init__(self, cache: ResponseCache, route: Route, policy: Cache, terminal: Terminal) -> None:
        self._cache = cache
        self._terminal = terminal
        self._rules = Rules(ttl_s=policy.ttl_s, stale_if_error_s=policy.stale_if_error_s)
        self._shared = policy.shared or not route.security
        self._version = route.version.encode("ascii")
        self._place_of = build_place(route)
        self._vary = tuple(sorted({name.lower().encode("ascii") for name in policy.vary}))

    async def __call__(self, exchange: Exchange) -> None:
        if is_left_to_the_service(exchange.fields):
            exchange.response_headers.append((b"cache-status", b"dhatu; fwd=bypass"))
            await self._terminal(exchange)
            return
        asked = directives_of(exchange.fields)
        base = self._name(exchange)
        while True:
            look = await self._cache.look(exchange, _Look(self._place_of(exchange.path), base, asked))
            now_s = self._cache.now_s()
            if look.entry is not None and is_usable(look.entry, asked, now_s=now_s):
                left_s = look.entry.fresh_s - look.entry.age_s(now_s)
                await self._cache.serve(exchange, look.entry, b"hit; ttl=%d" % left_s)
                return
            flight = (look.place, look.name)
            stale = self._stale(look.entry, now_s)
            if stale is not None and self._cache.flights.is_resting(flight):
                await self._cache.serve(exchange, stale, STALE, degraded=True)
                return
            if asked.only_if_cached:
                raise ProblemError("upstream-timeout", "Nothing is kept that could be answered with.")
            if exchange.method == "HEAD" or asked.no_store:
                exchange.response_headers.append((b"cache-status", b"dhatu; fwd=bypass"))
                await self._terminal(exchange)
                return
            if not await self._cache.flights.others_land(flight, exchange.deadline_at_s):
                break
        apart = True
        try:
            apart = not await self._fetch(exchange, look, base)
        except (ClientDisconnected, asyncio.CancelledError):
            apart = False  # its client has left, which says nothing of the answer
            raise
        finally:
            self._cache.flights.land(flight, apart=apart)

    def _name(self, exchange: Exchange) -> str:
        """One for each caller, unless all get the same, and for each query and field of `vary`."""
        principal = exchange.principal
        caller = "" if self._shared or principal is None else principal.id
        fields = (exchange.fields.get(name, b"\0") for name in self._vary)
        return _digest(self._version, caller.encode(), exchange.query, *fields)

    async def _fetch(self, exchange: Exchange, look: _Look, base: str) -> bool:
        """Ask the service; returns whether its answer was kept."""
        cache, entry = self._cache, look.entry
        checks = validators(entry) if entry is not None else []
        said = b"fwd=stale" if entry is not None else b"fwd=uri-miss"
        exchange.response_headers.append((b"cache-status", b"dhatu; " + said))
        exchange.headers = [header for header in exchange.headers if header[0] not in CONDITIONS] + checks
        stale = self._stale(entry, cache.now_s())
        recording = Recording(
            exchange,
            lambda status: (status == 304 and bool(checks)) or (status in _ERRORS and stale is not None),
        )
        try:
            await self._terminal(exchange)
        except ProblemError as error:
            if stale is None or exchange.status or error.problem.status not in _ERRORS:
                raise
            recording.release()
            cache.flights.rest((look.place, look.name))
            await cache.serve(exchange, stale, STALE, degraded=True)
            return False
        finally:
            recording.release()
        now_s = cache.now_s()
        if recording.held_back and recording.status == 304 and entry is not None:
            entry = renewed(entry, recording.headers, self._rules, now_s=now_s)
            await cache.keep(exchange, look, base, entry)
            await cache.serve(exchange, entry, b"hit; fwd=stale; fwd-status=304")
            return True
        if recording.held_back and stale is not None:
            cache.flights.rest((look.place, look.name))
            await cache.serve(exchange, stale, STALE, degraded=True)
            return False
        body, status, headers = recording.body, recording.status, recording.headers
        if body is None or not storable(status, headers, look.asked, self._rules, shared=self._shared):
            return False
        made = make_entry(status, headers, body, self._rules, now_s=now_s)
        if made.kept_s <= 0:
            return False
        await cache.keep(exchange, look, base, made)
        return True

    def _stale(self, entry: Entry | None, now_s: float) -> Entry | None:
        """What may stand in for an error, if anything."""
        return entry if entry is not None and stands_in(entry, now_s=now_s) else None


def unversioned(route: Route) -> str:
    """The template of a route without its version: what all versions of a resource have in common."""
    return route.path.replace(f"/{route.version}/", "/", 1) if route.version else route.path


def build_place(route: Route) -> Callable[[str], str]:
    """Tell the resource that a canonical path is about, the same in every version."""
    before, version, _ = route.path.partition(f"/{route.version}/") if route.version else ("", "", "")
    start, end = len(before), len(before) + len(version) - 1

    def place_of(path: str) -> str:
        return _digest((path[:start] + path[end:] if version else path).encode("ascii"))

    return place_of


def _variant(base: str, names: tuple[bytes, ...], exchange: Exchange) -> str:
    return _digest(base.encode(), *(exchange.fields.get(name, b"\0") for name in names))


def _digest(*parts: bytes) -> str:
    joined = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return hashlib.blake2b(joined, digest_size=20).hexdigest()
