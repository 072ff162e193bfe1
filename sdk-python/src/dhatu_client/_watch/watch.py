"""The narrow way from the flow to those who watch it: events, spans, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from .._wire import Outcome
    from .events import Event

Headers: TypeAlias = "tuple[tuple[str, str], ...]"


class CallWatch(Protocol):
    """Is told what happens to one call."""

    def attempt_started(self, attempt: int, method: str, url: str) -> Headers:
        """Returns headers to send with it, such as `traceparent`."""
        ...

    def attempt_finished(self, attempt: int, outcome: Outcome | None) -> None:
        """None where it was given up."""
        ...

    def retry_scheduled(self, attempt: int, delay_s: float) -> None: ...

    def paced(self, delay_s: float) -> None: ...

    def hedged(self, attempt: int, after_s: float) -> None: ...

    def finished(self, attempts: int, error: BaseException | None) -> None: ...


class AttemptSpan(Protocol):
    """One attempt, traced."""

    @property
    def headers(self) -> Headers:
        """What carries the trace to the server (W3C Trace Context)."""
        ...

    def end(self, outcome: Outcome | None) -> None: ...


class CallSpan(Protocol):
    """One call, traced."""

    def start_attempt(self, attempt: int, method: str, url: str) -> AttemptSpan: ...

    def end(self, attempts: int, error: BaseException | None) -> None: ...


class Tracer(Protocol):
    """Makes a span of each call."""

    def start_call(self, operation: str, template: str) -> CallSpan:
        """`template` is the path before its parameters are filled in."""
        ...


Listener: TypeAlias = "Callable[[Event], object]"
WatchCall: TypeAlias = "Callable[[str, str], CallWatch]"
"""Begins to watch a call: its operation's key and path template."""


class _Unwatched:
    """Watches nothing, at no cost."""

    def attempt_started(self, attempt: int, method: str, url: str) -> Headers:
        return ()

    def attempt_finished(self, attempt: int, outcome: Outcome | None) -> None: ...

    def retry_scheduled(self, attempt: int, delay_s: float) -> None: ...

    def paced(self, delay_s: float) -> None: ...

    def hedged(self, attempt: int, after_s: float) -> None: ...

    def finished(self, attempts: int, error: BaseException | None) -> None: ...


_UNWATCHED: Final = _Unwatched()


def unwatched(operation: str, template: str) -> CallWatch:
    """For clients that nobody watches."""
    return _UNWATCHED
