"""The way of one route to its service: admission, breakers, retries, hedging, all under one budget."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from dhatu_gateway.core.upstream.delivery.attempt import AnswerHeld, Attempt, Carrier
from dhatu_gateway.core.upstream.delivery.backoff import (
    REPEATABLE_STATUSES,
    RETRY_AFTER_CAP_S,
    asked_s,
    delay_s,
    may_repeat,
)
from dhatu_gateway.core.upstream.delivery.budget import RetryBudget
from dhatu_gateway.core.upstream.delivery.guards import NO_TICKETS, Guards
from dhatu_gateway.core.upstream.errors import TooManyRetries, UpstreamError
from dhatu_gateway.core.upstream.health.watch import says_of_endpoint
from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What holds for the requests of one route."""

    guards: Guards | None
    """None where neither the service nor the operation has a breaker."""
    budget: RetryBudget
    """Of the service."""
    attempts: int = 1
    """The first one included; 1 where the operation may not be repeated."""
    try_s: float | None = None
    """From the end of the request to the head of the answer, for each attempt."""
    timeout_field: bytes = b""
    """Header that tells the service how many milliseconds are left; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Time and chance."""

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


DEFAULT_PACE: Final = Pace()


class Delivery:
    """Makes as many attempts as the plan allows, and passes one answer on."""

    __slots__ = ("_budget", "_carrier", "_guards", "_pace", "_plan")

    def __init__(self, carrier: Carrier, plan: Plan, pace: Pace = DEFAULT_PACE) -> None:
        self._carrier = carrier
        self._plan = plan
        self._guards = plan.guards
        self._budget = plan.budget
        self._pace = pace

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        """As `Upstream.forward`; raises `CircuitOpen` and `TooManyRetries` as well."""
        plan, guards = self._plan, self._guards
        now_s = self._pace.clock()
        self._enter(request, now_s)
        if plan.try_s is not None:
            request.first_byte_s = plan.try_s
        number = 1
        while True:
            tickets = guards.admit(now_s) if guards is not None else NO_TICKETS
            attempt = Attempt(self, request, sink, number, tickets)
            try:
                await self._carrier.forward(request, attempt)
            except AnswerHeld as held:
                wait_s = held.wait_s
            except BaseException as error:
                wait_s = self._on_error(attempt, error)
            else:
                return
            await self._pace.sleep(wait_s)
            number += 1
            now_s = self._prepare_next(request)

    def on_head(self, attempt: Attempt, status: int, headers: Headers) -> None:
        """Part of `Judge`; called once for each answer."""
        guards = self._guards
        if status < 500 and guards is None:
            return
        now_s = self._pace.clock()
        if guards is not None and attempt.tickets is not None:
            guards.settle_status(attempt.tickets, status, now_s)
            attempt.tickets = None
        if status < 500:
            return
        if status in REPEATABLE_STATUSES:
            wait_s = self._wait_s(attempt, asked_s(headers), now_s)
            if wait_s is not None:
                raise AnswerHeld(wait_s)
        self._budget.failed(now_s)

    def _enter(self, request: UpstreamRequest, now_s: float) -> None:
        if not request.repeated:
            self._budget.call(now_s)
        elif not self._budget.repeat(now_s):
            raise TooManyRetries("the service fails, and its callers have repeated enough for now")

    def _on_error(self, attempt: Attempt, error: BaseException) -> float:
        """Seconds to wait before the next attempt; raises the error where there is to be none."""
        now_s = self._pace.clock()
        if self._guards is not None and attempt.tickets is not None:
            self._guards.settle_error(attempt.tickets, says_of_endpoint(error, attempt.request), now_s)
            attempt.tickets = None
        if attempt.started:
            raise error
        if isinstance(error, UpstreamError) and may_repeat(error):
            wait_s = self._wait_s(attempt, 0.0, now_s)
            if wait_s is not None:
                return wait_s
        # Also where the caller has lost its patience: it may come again.
        self._budget.failed(now_s)
        raise error

    def _wait_s(self, attempt: Attempt, asked_s: float, now_s: float) -> float | None:
        """Seconds to wait before the next attempt; None where there is to be none."""
        request = attempt.request
        if attempt.number >= self._plan.attempts or not request.repeatable or asked_s > RETRY_AFTER_CAP_S:
            return None
        wait_s = max(delay_s(attempt.number, self._pace.random()), asked_s)
        if now_s + wait_s >= request.deadline_s:
            return None
        if self._guards is not None and self._guards.refuses_for_s(now_s) > wait_s:
            return None
        return wait_s if self._budget.withdraw(now_s) else None

    def _prepare_next(self, request: UpstreamRequest) -> float:
        """Turn the request to another endpoint, and tell the service what time is left now."""
        now_s = self._pace.clock()
        if request.member is not None and request.member not in request.avoid:
            request.avoid = (*request.avoid, request.member)
        field = self._plan.timeout_field
        if field:
            left_ms = max(1, int((request.deadline_s - now_s) * 1000))
            request.headers = [
                (name, b"%d" % left_ms if name == field else value) for name, value in request.headers
            ]
        return now_s
