"""What it costs to know a caller, and to refuse one beside letting one through: time of the processor.

Calls go through the whole request path, but for the HTTP server in front of it; those that are let through
reach a service over a socket. Rounds of all kinds take turns, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import uvloop
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.auth.api_keys import ApiKeys, NewKey
from dhatu_gateway.auth.authenticator import Authenticator
from dhatu_gateway.auth.base62 import checksum, random_text
from dhatu_gateway.auth.identity import Identity
from dhatu_gateway.auth.setup import open_keys
from dhatu_gateway.auth.stage import build_authenticate
from dhatu_gateway.auth.store.opening import open_store
from dhatu_gateway.core.edge import Edge
from dhatu_gateway.core.exchange import Exchange, Message, Scope
from dhatu_gateway.core.types import Route
from dhatu_gateway.settings import read_settings
from dhatu_reference.processes import free_ports

from bench.gateway import BODY, SECRET, wait_for
from bench.report import Figure, report

LOOKS = 200_000
CALLS, ROUNDS = 200, 15
LIMITED = "/api/v1/analyze"
_OPEN = "/api/v1/compress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Calls that end in the same way."""

    name: str
    status: int
    keys: Iterator[bytes]
    """One for each call; empty for none."""
    path: str = _OPEN
    body: bytes = BODY.encode()


def limits_of(route: Route) -> Route:
    """One call an hour at one path, and as many as anybody likes elsewhere."""
    most = 1 if route.path == LIMITED else 10**8
    window_s = 3_600.0 if most == 1 else 60.0
    limits = (
        limit
        if limit.algorithm == "concurrency"
        else replace(limit, limit=most, burst=most, window_s=window_s)
        for limit in route.rate_limits
    )
    return replace(route, rate_limits=tuple(limits))


def main() -> None:
    """Prints and writes every figure."""
    report(uvloop.run(measured()))


async def measured() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory:
        database = Path(directory) / "gateway.sqlite3"
        async with contextlib.AsyncExitStack() as stack:
            store = await open_store(database)
            stack.push_async_callback(store.close)
            kinds = await kinds_of(keys := await open_keys(store))
            edge = await stack.enter_async_context(serving(database))
            cached_us = await cached_check_us(keys)
            taken_us = await refusals_us(edge, kinds)
    accepted_us = taken_us[kinds[0].name]
    return [
        Figure(name="auth: a credential seen before", value=cached_us, unit="us"),
        *(
            Figure(name=f"call: {name}", value=us, unit="us", ratio=us / accepted_us, against="accepted")
            for name, us in taken_us.items()
        ),
    ]


async def cached_check_us(keys: ApiKeys) -> float:
    """Microseconds of the stage for a caller that it knows."""
    key = await _made(keys, _SCOPES)
    table = generated_table()
    route = next(route for route in table.routes if route.path == _OPEN)
    stage = build_authenticate(
        route, table.platform.security_schemes, Authenticator(bearer=_Nobody(), api_key=keys)
    )
    assert stage is not None
    exchange = Exchange()
    exchange.fields, exchange.started_at_s = {b"x-api-key": key}, time.monotonic()
    pending = stage(exchange)
    assert pending is not None
    await pending
    began_s = time.process_time()
    for _ in range(LOOKS):
        assert stage(exchange) is None
    return (time.process_time() - began_s) / LOOKS * 1e6


async def kinds_of(keys: ApiKeys) -> list[Kind]:
    good, poor = await _made(keys, _SCOPES), await _made(keys, frozenset({"corpus:read"}))
    return [
        Kind(name="accepted", status=200, keys=itertools.repeat(good)),
        Kind(name="401, no credential", status=401, keys=itertools.repeat(b"")),
        Kind(name="401, malformed key", status=401, keys=itertools.repeat(b"dhk_x")),
        Kind(name="401, unknown key", status=401, keys=_guesses(itertools.repeat(""))),
        Kind(name="401, wrong secret", status=401, keys=_guesses(itertools.repeat(good[4:16].decode()))),
        Kind(name="403, scope missing", status=403, keys=itertools.repeat(poor)),
        Kind(name="429", status=429, keys=itertools.repeat(good), path=LIMITED),
        Kind(name="400, body not as described", status=400, keys=itertools.repeat(good), body=b'{"text": 1}'),
    ]


async def _made(keys: ApiKeys, scopes: frozenset[str]) -> bytes:
    new = NewKey(name="bench", owner="bench", scopes=scopes)
    _, key = await keys.create(new, actor="bench", now_s=time.time())
    return key.encode()


def _guesses(ids: Iterator[str]) -> Iterator[bytes]:
    """Keys that look right, no two of them alike."""
    for id_ in ids:
        body = f"dhk_{id_ or random_text(12)}_{random_text(32)}"
        yield f"{body}_{checksum(body)}".encode()


async def refusals_us(edge: Edge, kinds: list[Kind]) -> dict[str, float]:
    """Microseconds of the processor for a call of each kind, the median of all rounds."""
    await calls(edge, replace(kinds[0], path=LIMITED), [next(kinds[0].keys)])  # the only one of its hour
    taken: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind in kinds:
            keys = list(itertools.islice(kind.keys, CALLS))
            began_s = time.process_time()
            await calls(edge, kind, keys)
            taken[kind.name].append((time.process_time() - began_s) / CALLS * 1e6)
    return {name: median(us) for name, us in taken.items()}


async def calls(edge: Edge, kind: Kind, keys: list[bytes]) -> None:
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": kind.body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    for key in keys:
        await edge(_scope(kind, key), receive, send)
        assert status == kind.status, f"{kind.name}: {status}"


def _scope(kind: Kind, key: bytes) -> Scope:
    headers = [
        (b"host", b"bench"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(kind.body)),
        *([(b"x-api-key", key)] if key else []),
    ]
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 4711),
        "method": "POST",
        "raw_path": kind.path.encode(),
        "query_string": b"",
        "headers": headers,
        "state": {},
    }


@contextlib.asynccontextmanager
async def serving(database: Path) -> AsyncGenerator[Edge]:
    """The request path over a service that answers at once."""
    (port,) = free_ports(1)
    with _upstream(port):
        await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}")
        generated = generated_table()
        table = replace(generated, routes=tuple(map(limits_of, generated.routes)))
        environment = {
            "COMPRESSION_SERVICE_URL": f"http://127.0.0.1:{port}",
            "GATEWAY_DATABASE": str(database),
            "JWT_SECRET_KEY": SECRET,
        }
        async with open_edge(read_settings(environment, table.platform.services), table) as edge:
            yield edge


@contextlib.contextmanager
def _upstream(port: int) -> Generator[None]:
    running = subprocess.Popen([sys.executable, "-m", "bench.upstream", str(port)])
    try:
        yield
    finally:
        running.terminate()
        running.wait()


class _Nobody:
    """Knows nobody."""

    async def verify(self, value: bytes, *, now_s: float) -> Identity:
        raise AssertionError("nobody sends a token here")


_SCOPES = frozenset({"compression:use"})

if __name__ == "__main__":
    main()
