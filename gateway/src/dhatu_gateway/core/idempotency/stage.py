"""Wraps what answers a route, so that one idempotency key has one effect.

draft-ietf-httpapi-idempotency-key-header-07: the first request under a key runs, and its answer is kept; a
later one with the same content is answered with that, marked `Idempotency-Replayed: true`, and one with
another content is refused (422). One that comes while the first is under way waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.idempotency.capture import Capture, Fingerprint
from dhatu_gateway.core.idempotency.records import KeptAnswer, Running, Started
from dhatu_gateway.core.idempotency.store import AnswerStore
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Idempotency, Route
from dhatu_gateway.core.upstream.errors import ClientDisconnected
from dhatu_gateway.core.validation.body import too_large
from dhatu_gateway.shared.link import StorageUnavailableError

FIELD = b"idempotency-key"
NAME = "Idempotency-Key"
REPLAYED = (b"idempotency-replayed", b"true")
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
MARGIN_S = 5.0
"""How long a key is held beyond the time of its request, should the process have died with it."""

_KEY = re.compile(rb'[\x21\x23-\x5b\x5d-\x7e]{1,255}|"[\x20\x21\x23-\x5b\x5d-\x7e]{1,255}"')
_PASSING = frozenset({408, 425, 429})
"""Refusals that say nothing about the request: it may be sent again."""

_logger = logging.getLogger("dhatu.idempotency")

Terminal = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How to wait for an answer that another request is making."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def build_idempotent(
    route: Route, terminal: Terminal, store: AnswerStore, waiting: Waiting | None = None
) -> Terminal:
    """Wrap what answers a route; the same where the route has no keys."""
    if route.idempotency is None:
        return terminal
    return _Idempotent(route, route.idempotency, terminal, store, waiting or Waiting())


class _Idempotent:
    def __init__(
        self,
        route: Route,
        idempotency: Idempotency,
        terminal: Terminal,
        store: AnswerStore,
        waiting: Waiting,
    ) -> None:
        self._operation = route.operation
        self._limit_bytes = route.max_body_bytes
        self._keep_s = idempotency.keep_s
        self._required = idempotency.required
        self._terminal = terminal
        self._store = store
        self._waiting = waiting
        # Not the request's id, which a client may repeat.
        self._process = secrets.token_hex(8)
        self._turns = itertools.count(1)

    async def __call__(self, exchange: Exchange) -> None:
        key = exchange.fields.get(FIELD)
        if key is None:
            if self._required:
                raise _refused("is required")
            await self._terminal(exchange)
            return
        if not _KEY.fullmatch(key):
            raise _refused("must be 1 to 255 visible ASCII characters, without quotes inside")
        name, holder = self._name(exchange, key), f"{self._process}-{next(self._turns)}"
        try:
            known = await self._begin(exchange, name, holder)
        except StorageUnavailableError as error:
            # Neither run it, which may be the second time, nor say that it was run.
            raise ProblemError(
                "unavailable",
                f"What was answered under this {NAME} cannot be looked up at the moment; try again.",
                headers=[(b"retry-after", b"1")],
            ) from error
        if known is None:
            await self._run(exchange, name, holder)
        else:
            await self._replay(exchange, known)

    def _name(self, exchange: Exchange, key: bytes) -> str:
        """Nobody gets the answer of another caller or operation, whatever the key."""
        caller = exchange.principal.id if exchange.principal is not None else exchange.client_network
        parts = (self._operation.encode(), caller.encode(), key.strip(b'"'))
        return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()

    async def _begin(self, exchange: Exchange, name: str, holder: str) -> KeptAnswer | None:
        """The answer that is there already, or None for the right to make it."""
        pause_s = FIRST_PAUSE_S
        while True:
            left_s = exchange.deadline_at_s - self._waiting.clock()
            match await self._store.begin(name, holder, hold_s=max(left_s, 0) + MARGIN_S):
                case Started():
                    return None
                case KeptAnswer() as known:
                    return known
                case Running():
                    if left_s <= pause_s:
                        raise ProblemError(
                            "conflict",
                            f"A request with this {NAME} is under way; ask again for its answer.",
                            headers=[(b"retry-after", b"1")],
                        )
                    await self._waiting.sleep(pause_s)
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _run(self, exchange: Exchange, name: str, holder: str) -> None:
        capture = Capture(exchange)
        answer: KeptAnswer | None = None
        try:
            await self._terminal(exchange)
            answer = capture.answer()
        finally:
            # Also where this task is cancelled: the key must not stay held.
            await asyncio.shield(self._settle(name, holder, answer))

    async def _settle(self, name: str, holder: str, answer: KeptAnswer | None) -> None:
        try:
            if answer is None or answer.status >= 500 or answer.status in _PASSING:
                await self._store.abandon(name, holder)
            else:
                await self._store.finish(name, holder, answer, keep_s=self._keep_s)
        except StorageUnavailableError as error:
            _logger.warning("%s: the answer to an %s is not kept: %s", self._operation, NAME, error)

    async def _replay(self, exchange: Exchange, known: KeptAnswer) -> None:
        fingerprint = Fingerprint(exchange)
        if exchange.body is not None:
            fingerprint.add(exchange.body)
        else:
            await self._drain(exchange, fingerprint)
        if fingerprint.value() != known.fingerprint:
            raise ProblemError(
                "idempotency-key-reused",
                f"This {NAME} was sent with another request before; use a new one for each.",
            )
        if known.body is None:
            raise ProblemError(
                "conflict",
                f"The request with this {NAME} was carried out, with an answer too large to be kept.",
            )
        headers = [*known.headers, REPLAYED, *exchange.response_headers]
        exchange.status = known.status
        await exchange.send({"type": "http.response.start", "status": known.status, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": known.body, "more_body": False})

    async def _drain(self, exchange: Exchange, fingerprint: Fingerprint) -> None:
        size_bytes, more = 0, True
        while more:
            message = await exchange.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected("the client closed its connection before its request was complete")
            part: bytes = message.get("body", b"")
            size_bytes += len(part)
            if size_bytes > self._limit_bytes:
                raise too_large(self._limit_bytes)
            fingerprint.add(part)
            more = message.get("more_body", False)


def _refused(detail: str) -> ProblemError:
    error = FieldError(location="header", name=NAME, detail=detail)
    return ProblemError("invalid-request", f"{NAME} {detail}.", errors=[error])
