"""What clients log: a line for each event, to the logger that is called like the package.

| level | what |
|---|---|
| WARNING | a breaker opened, an endpoint was ejected |
| INFO | a call ended, is tried again, hedged or held back; a breaker closed, an endpoint is back |
| DEBUG | each attempt, with method and address |

No line holds a query, a header, a body or a credential, but for the id that the server gave a request.
"""

from __future__ import annotations

import logging
from typing import assert_never

from .events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    CallFinished,
    CallStarted,
    EndpointEjected,
    EndpointRestored,
    Event,
    Hedged,
    Paced,
    RetryScheduled,
)
from .logger import LOGGER


def log_event(event: Event) -> None:
    """Log one event, if its level is on."""
    level = _level(event)
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, "%s", line(event))


def _level(event: Event) -> int:
    match event:
        case CallStarted() | AttemptStarted() | AttemptFinished():
            return logging.DEBUG
        case EndpointEjected() | BreakerChanged(state="open"):
            return logging.WARNING
        case _:
            return logging.INFO


def line(event: Event) -> str:
    """An event in one line."""
    match event:
        case EndpointEjected():
            return f"{event.endpoint} is left out for {event.for_s:.3g} s: {event.reason}"
        case EndpointRestored():
            return f"{event.endpoint} is called again"
        case BreakerChanged():
            return f"the breaker of {event.breaker} is {event.state.replace('_', ' ')}"
        case _:
            return f"{event.operation} #{event.call}: {_of_call(event)}"


def _of_call(
    event: CallStarted | AttemptStarted | AttemptFinished | RetryScheduled | Paced | Hedged | CallFinished,
) -> str:
    match event:
        case CallStarted():
            return "called"
        case AttemptStarted():
            return f"attempt {event.attempt}: {event.method} {event.url}"
        case AttemptFinished():
            named = f" [request id {event.request_id}]" if event.request_id else ""
            what = event.status or event.failure
            return f"attempt {event.attempt}: {what} after {_ms(event.duration_s)}{named}"
        case RetryScheduled():
            return f"attempt {event.attempt} follows in {_ms(event.delay_s)}"
        case Paced():
            return f"waits {_ms(event.delay_s)} for the rate limit"
        case Hedged():
            return f"attempt {event.attempt} is sent beside a slow one after {_ms(event.after_s)}"
        case CallFinished():
            attempts = f"{event.attempts} attempt{'s' if event.attempts != 1 else ''}"
            return f"{event.error or 'done'} after {_ms(event.duration_s)} and {attempts}"
        case _:
            assert_never(event)


def _ms(duration_s: float) -> str:
    """Milliseconds, with fractions where there are few.

    >>> _ms(0.0123), _ms(4.5678)
    ('12.3 ms', '4568 ms')
    """
    duration_ms = duration_s * 1000
    return f"{duration_ms:.1f} ms" if duration_ms < 100 else f"{duration_ms:.0f} ms"
