"""What a client tells those who listen: one frozen record for everything that happens to a call.

`DhatuAPI(on_event=print)` shows them all. They hold no header, no query, no body and no credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """An operation was called."""

    call: int
    """Numbers the calls of a process; the same in all events of one."""
    operation: str
    """`corpus.search`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """A request is sent."""

    call: int
    operation: str
    attempt: int
    """1 for the first."""
    method: str
    url: str
    """Without its query and user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished:
    """An answer came, or none did."""

    call: int
    operation: str
    attempt: int
    duration_s: float
    status: int | None
    """None where no answer came."""
    failure: str
    """`connect`, `connect_timeout`, `pool_timeout`, `timeout`, `lost` or `cancelled`; empty where one did."""
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled:
    """Another attempt follows after a wait."""

    call: int
    operation: str
    attempt: int
    """The one that is to come."""
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """A call waits, because the rate limit has nothing left."""

    call: int
    operation: str
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedged:
    """A second attempt is sent beside a slow one."""

    call: int
    operation: str
    attempt: int
    """The one that is added."""
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished:
    """A call returned or raised."""

    call: int
    operation: str
    attempts: int
    duration_s: float
    error: str
    """Name of the error's class, `Cancelled` where the caller left; empty for a success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointEjected:
    """An endpoint fails more than the others and is left out for a while."""

    endpoint: str
    for_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRestored:
    """An endpoint is called again."""

    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged:
    """A circuit breaker opened, tries, or closed."""

    breaker: str
    """The endpoint, or the operation at one."""
    state: Literal["open", "half_open", "closed"]


Event: TypeAlias = (
    CallStarted
    | AttemptStarted
    | AttemptFinished
    | RetryScheduled
    | Paced
    | Hedged
    | CallFinished
    | EndpointEjected
    | EndpointRestored
    | BreakerChanged
)
