"""How an attempt ended, as far as that says something about the endpoint."""

from __future__ import annotations

from collections.abc import Callable

from dhatu_gateway.core.upstream.balancing.choice import Choice
from dhatu_gateway.core.upstream.errors import UpstreamError, UpstreamOverloaded, UpstreamTimeout
from dhatu_gateway.core.upstream.member import Member
from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest


class HeadWatch:
    """A sink that tells the choice of endpoints how long the head of an answer took, and what it said."""

    __slots__ = ("_began_s", "_choice", "_clock", "_member", "_settled", "_sink", "body", "client_gone")

    def __init__(
        self, sink: ResponseSink, member: Member, choice: Choice[Member], clock: Callable[[], float]
    ) -> None:
        self._sink = sink
        self._member = member
        self._choice = choice
        self._clock = clock
        self._began_s = clock()
        self._settled = False
        self.body = sink.body
        self.client_gone = sink.client_gone

    def start(self, status: int, headers: Headers) -> None:
        self.settle(failed=status >= 500)
        self._sink.start(status, headers)

    def settle(self, *, failed: bool | None) -> None:
        """Tell once how it ended."""
        if not self._settled:
            self._settled = True
            self._choice.settle(self._member, failed, self._began_s, self._clock())


def says_of_endpoint(error: BaseException, request: UpstreamRequest) -> bool | None:
    """Whether the service has failed; None where the error says nothing about it.

    A caller that gives little time, or goes away, must not get an endpoint ejected or a circuit opened.
    """
    if not isinstance(error, UpstreamError) or isinstance(error, UpstreamOverloaded):
        return None
    if isinstance(error, UpstreamTimeout) and error.phase == "total" and request.impatient:
        return None
    return True
