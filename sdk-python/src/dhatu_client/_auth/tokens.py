"""Access tokens that end: held while they are good, renewed by one caller for all, and after a refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

from .._wire import AsyncTransport, Failure, Transport, TransportFailed

_MARGIN_S = 60.0
"""Longest time before its end at which a token is renewed, but for the jitter."""


class Token(NamedTuple):
    """An access token, and what is known of its end."""

    value: str
    expires_in_s: float | None = None
    """Seconds from now; None where nobody knows, so that it is held until the server refuses it."""
    refresh_token: str = ""
    """Renews it; empty where there is none."""

    def __repr__(self) -> str:
        return f"Token(value='***', expires_in_s={self.expires_in_s!r})"


class Obtain(Protocol):
    """Gets a token from wherever tokens come from; never called while a call of it is under way."""

    def obtain(self, transport: Transport) -> Token: ...

    async def aobtain(self, transport: AsyncTransport) -> Token: ...


class Chances(NamedTuple):
    """Time and chance, as `Surroundings` has them."""

    now_s: Callable[[], float]
    random: Callable[[], float]


class RenewedToken:
    """A token source: when to renew, and who does it; how is the affair of an `Obtain`.

    A token that is about to end is renewed by the first who notices, while the others go on with it. Should
    that fail, it is used to its end. Once it has ended or was refused, all wait for one renewal and share
    what comes of it, even an error.
    """

    def __init__(self, obtain: Obtain, chances: Chances) -> None:
        self._obtain = obtain
        self._chances = chances
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._flight: _Flight | None = None

    def ready(self, now_s: float) -> str | None:
        """The token, unless it has to be fetched; never waits, and any thread may ask."""
        held = self._held
        if held is None or now_s >= held.expires_at_s:
            return None
        return held.value if now_s < held.renew_at_s or self._flight is not None else None

    def refused(self, token: str) -> None:
        """Tell that a 401 followed this token: the next fetch renews, unless somebody already did."""
        with self._lock:
            if self._held is not None and self._held.value == token:
                self._held = None

    def fetch(self, transport: Transport, time_left_s: float) -> str:
        """The token, renewed where need be, by one thread for all.

        The others wait `time_left_s` at most; that one sees it through, since nobody else would.
        Raises `TokenError`; `TransportFailed` where another attempt may help.
        """
        while True:
            boarded = self._board(threading.Event)
            if isinstance(boarded, str):
                return boarded
            flight, leads = boarded
            if leads:
                self._fly(flight, transport)
            elif not flight.landed.wait(min(time_left_s, threading.TIMEOUT_MAX)):
                late = TimeoutError("the time for the call ran out")
                raise TransportFailed(Failure(kind="timeout", cause=late))
            if flight.outcome is not None:
                return _unwrapped(flight.outcome)

    async def afetch(self, transport: AsyncTransport) -> str:
        """As `fetch`, by one task for all, which outlives the caller that began it."""
        from anyio import Event  # comes with httpx; works under asyncio and trio

        while True:
            boarded = self._board(Event)
            if isinstance(boarded, str):
                return boarded
            flight, leads = boarded
            if leads:
                await _to_the_end(flight, partial(self._afly, flight, transport))
            else:
                await flight.landed.wait()
            if flight.outcome is not None:
                return _unwrapped(flight.outcome)

    def _board(self, new_event: Callable[[], Any]) -> str | tuple[_Flight, bool]:
        """The token where there is one after all; else the renewal under way, and whether to carry it out."""
        with self._lock:
            token = self.ready(self._chances.now_s())
            if token is not None:
                return token
            if self._flight is not None:
                return self._flight, False
            self._flight = _Flight(new_event(), self._chances.now_s())
            return self._flight, True

    def _fly(self, flight: _Flight, transport: Transport) -> None:
        outcome: Token | Exception | None = None
        try:
            outcome = self._obtain.obtain(transport)
        except Exception as error:  # shared by all who wait
            outcome = error
        finally:
            self._land(flight, outcome)

    async def _afly(self, flight: _Flight, transport: AsyncTransport) -> None:
        outcome: Token | Exception | None = None
        try:
            outcome = await self._obtain.aobtain(transport)
        except Exception as error:  # shared by all who wait
            outcome = error
        finally:
            self._land(flight, outcome)

    def _land(self, flight: _Flight, outcome: Token | Exception | None) -> None:
        """End a renewal; without an outcome it was broken off, and the next in line begins another."""
        with self._lock:
            self._flight = None
            held, now_s = self._held, self._chances.now_s()
            if isinstance(outcome, Token):
                self._held = self._holding(outcome, flight.began_s)
            elif held is not None and now_s < held.expires_at_s:
                # Half of what is left, so that a token endpoint that is down is not asked by every call.
                self._held = held._replace(renew_at_s=now_s + (held.expires_at_s - now_s) / 2)
                outcome = None if outcome is None else Token(held.value)
            flight.outcome = outcome
            flight.task = None
        flight.landed.set()

    def _holding(self, token: Token, began_s: float) -> _Held:
        """How long to hold a token: `expires_in_s` from when it was asked for, less a margin to renew in.

        `margin_s = min(60, expires_in_s / 10) * (1 + random())`, so that a fleet does not renew at once.
        """
        if token.expires_in_s is None:
            return _Held(token.value, float("inf"), float("inf"))
        ends_s = began_s + token.expires_in_s
        margin_s = min(_MARGIN_S, token.expires_in_s / 10) * (1 + self._chances.random())
        return _Held(token.value, ends_s - margin_s, ends_s)


class _Held(NamedTuple):
    value: str
    renew_at_s: float
    expires_at_s: float


class _Flight:
    """One renewal under way."""

    __slots__ = ("began_s", "landed", "outcome", "task")

    def __init__(self, landed: Any, began_s: float) -> None:
        self.landed = landed
        """An event of threading or of anyio."""
        self.began_s = began_s
        self.outcome: Token | Exception | None = None
        self.task: object = None
        """Held here, since asyncio itself holds tasks weakly."""


_Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


async def _to_the_end(flight: _Flight, work: _Work) -> None:
    """Carry out work that goes on when its caller is cancelled.

    A server that rotates refresh tokens has spent one as soon as it was asked: whoever throws the answer away
    loses the session.
    """
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # trio has no task without a nursery; there the caller's cancellation waits
        from anyio import CancelScope

        with CancelScope(shield=True):
            await work()
    else:
        task = flight.task = loop.create_task(work())
        await asyncio.shield(task)


def _unwrapped(outcome: Token | Exception) -> str:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome.value
