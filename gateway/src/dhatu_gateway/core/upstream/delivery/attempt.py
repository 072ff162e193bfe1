"""One attempt: the sink that its answer goes to, where it is decided what becomes of a failure."""

from __future__ import annotations

from typing import Protocol

from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest


class AnswerHeld(Exception):
    """The answer is not passed on: another attempt follows, or is under way."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("an attempt failed and is repeated")
        self.wait_s = wait_s


class Carrier(Protocol):
    """What makes an attempt: the upstream, or what stands before it."""

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None: ...


class Judge(Protocol):
    """Decides what the head of an answer means."""

    def on_head(self, attempt: Attempt, status: int, headers: Headers) -> None:
        """Take note of an answer; raises `AnswerHeld` where it is not to be passed on."""
        ...


class Attempt:
    """Passes an answer on, once its head has been judged."""

    __slots__ = ("_judge", "_sink", "body", "client_gone", "number", "request", "started", "tickets")

    def __init__(
        self,
        judge: Judge,
        request: UpstreamRequest,
        sink: ResponseSink,
        number: int,
        tickets: tuple[int, int],
    ) -> None:
        self._judge = judge
        self._sink = sink
        self.request = request
        self.number = number
        """1 for the first one."""
        self.tickets: tuple[int, int] | None = tickets
        """Of the breakers of the service and of the operation; None once they are settled."""
        self.started = False
        """Whether the head of the answer has been passed on."""
        self.body = sink.body
        self.client_gone = sink.client_gone

    def start(self, status: int, headers: Headers) -> None:
        self._judge.on_head(self, status, headers)
        self.started = True
        self._sink.start(status, headers)
