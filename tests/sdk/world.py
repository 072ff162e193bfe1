"""Flows carried out on a virtual clock, against outcomes written down beforehand."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from dhatu_client._encoding.content import Body
from dhatu_client._flow.drivers import run
from dhatu_client._flow.endpoints import Endpoints, SingleEndpoint
from dhatu_client._flow.life import call_flow
from dhatu_client._flow.plan import Call, Policies, TokenSource
from dhatu_client._policies.breaker import BreakerPolicy, Breakers
from dhatu_client._policies.budget import BudgetPolicy, RetryBudget
from dhatu_client._policies.hedge import HedgePolicy, Hedger
from dhatu_client._policies.pacing import Pacer
from dhatu_client._policies.retry import RetryPolicy
from dhatu_client._resilience import NEVER_OPEN, UNLIMITED
from dhatu_client._watch.telemetry import Telemetry
from dhatu_client._watch.watch import Tracer
from dhatu_client._wire import Answer, Failure, Outcome, Request, Send
from sdk.support import VirtualTime, operation

OK = Answer(status=200, headers={}, content=b"{}")
LOST = Failure(kind="lost", cause=OSError("reset"))
UNSENT = Failure(kind="connect", cause=OSError("refused"))
TIMEOUT = Failure(kind="timeout", cause=TimeoutError())


def refusal(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, headers=headers or {}, content=b"")


class World:
    """One client's policies, and a script of what its attempts meet."""

    def __init__(
        self,
        *,
        max_retries: int = 2,
        breaker: BreakerPolicy | None = None,
        budget: BudgetPolicy | None = None,
        pacing: bool = False,
        hedge: HedgePolicy | None = None,
        endpoints: Endpoints | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.time = VirtualTime()
        self.events: list[Any] = []
        self.endpoints = endpoints or SingleEndpoint("https://api.test")
        self.retry = RetryPolicy(max_retries=max_retries)
        telemetry = Telemetry([self.events.append], tracer, self.time.now_s)
        self.policies = Policies(
            budget=RetryBudget(budget or UNLIMITED, self.time.now_s),
            breakers=Breakers(breaker or NEVER_OPEN, self.time.now_s, telemetry.breaker_changed),
            pacer=Pacer() if pacing else None,
            hedger=Hedger(hedge) if hedge else None,
            watch=telemetry.watch,
            now_s=self.time.now_s,
            wall_s=lambda: 1_700_000_000.0,
            random=random.Random(7).random,
        )
        self.sent: list[Send] = []

    def call(
        self,
        retry: str = "safe",
        *,
        timeout_s: float = 60.0,
        attempt_timeout_s: float | None = None,
        body: Body | None = None,
        prefix: str = "x-d-",
        tokens: TokenSource | None = None,
    ) -> Call:
        return Call(
            operation=operation(retry=retry),
            request=Request(method="GET", target="/things?key=secret", headers=(), body=body),
            endpoints=self.endpoints,
            timeout_s=timeout_s,
            attempt_timeout_s=attempt_timeout_s,
            connect_timeout_s=5.0,
            retry=self.retry,
            header_prefix=prefix,
            keep_open=lambda status, media_type: False,
            tokens=tokens,
        )

    def run(self, call: Call, *outcomes: Outcome, took_s: float = 0.0) -> Answer:
        """Carries out the flow; each attempt takes `took_s`, and reads the body it sends."""
        script = iter(outcomes)

        def send(step: Send) -> Outcome:
            self.time.now += took_s
            if step.request.body is not None:
                list(step.request.body.chunks())
            return next(script)

        return self.carry_out(call, send)

    def carry_out(self, call: Call, send: Callable[[Send], Outcome]) -> Answer:
        """Carries out the flow, each attempt by `send`."""
        return run(call_flow(call, self.policies), Recorded(self.sent, send), self.time.sleep)

    def told(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class Recorded:
    """A transport that notes what it sends."""

    def __init__(self, sent: list[Send], send: Callable[[Send], Outcome]) -> None:
        self._sent = sent
        self._send = send

    def send(self, step: Send) -> Outcome:
        self._sent.append(step)
        return self._send(step)
