"""The gate before a service, as a part of the way that every attempt takes."""

from __future__ import annotations

from collections.abc import Callable

from dhatu_gateway.core.upstream.admission.gate import Gate
from dhatu_gateway.core.upstream.delivery.attempt import Carrier
from dhatu_gateway.core.upstream.errors import UpstreamTimeout
from dhatu_gateway.core.upstream.staying import left_early
from dhatu_gateway.core.upstream.types import SWITCHING, Headers, ResponseSink, UpstreamRequest


class Gated:
    """Waits for room before each attempt, and tells the gate how it ended."""

    __slots__ = ("_carrier", "_clock", "_gate")

    def __init__(self, carrier: Carrier, gate: Gate, clock: Callable[[], float]) -> None:
        self._carrier = carrier
        self._gate = gate
        self._clock = clock

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        """As `Upstream.forward`; raises `UpstreamOverloaded` where there is no room."""
        gate = self._gate
        if not gate.try_enter():
            await gate.enter(request.deadline_s, left_early(request, sink))
        watch = (
            _HeadWatch(sink, self._clock) if request.tunnel is None else _TunnelWatch(sink, self._clock, gate)
        )
        began_s = self._clock()
        slow = False
        try:
            await self._carrier.forward(request, watch)
        except UpstreamTimeout:
            slow = not request.impatient
            raise
        finally:
            # What failed at once says nothing of how much the service can take.
            known = slow or 0 < watch.status < 500
            if watch.status != SWITCHING:
                gate.leave(watch.head_s - began_s, dropped=slow if known else None)


class _HeadWatch:
    """Remembers when the head of the answer came: from there on the client sets the pace."""

    __slots__ = ("_clock", "_sink", "body", "client_gone", "head_s", "status")

    def __init__(self, sink: ResponseSink, clock: Callable[[], float]) -> None:
        self._sink = sink
        self._clock = clock
        self.head_s = 0.0
        self.status = 0
        self.body = sink.body
        self.client_gone = sink.client_gone

    def start(self, status: int, headers: Headers) -> None:
        self.head_s = self._clock()
        self.status = status
        self._sink.start(status, headers)


class _TunnelWatch(_HeadWatch):
    """Leaves the gate once the protocol has been switched: a tunnel may last for days."""

    __slots__ = ("_gate",)

    def __init__(self, sink: ResponseSink, clock: Callable[[], float], gate: Gate) -> None:
        super().__init__(sink, clock)
        self._gate = gate

    def start(self, status: int, headers: Headers) -> None:
        super().start(status, headers)
        if status == SWITCHING:
            self._gate.leave(0.0, dropped=None)
