"""What can go wrong between the gateway and a service.

```
UpstreamError
├── UpstreamUnavailable     no connection could be had                       503
│   └── UpstreamOverloaded  too many wait for one already, or waited too long
├── CircuitOpen             not tried, for too many calls have failed         503
├── TooManyRetries          not tried, for too much is repeated already       503
├── UpstreamTimeout         the service was too slow (`phase` says where)    504
├── UpstreamProtocolError   the service does not speak HTTP as it should     502
│   └── UpstreamClosed      it closed the connection before the answer ended
└── UpstreamAborted         the answer broke off after its head was passed on: close the client's connection
ClientDisconnected          the caller went away; there is nobody left to answer
BodyLengthMismatch          a streamed request body is not as long as announced
```
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Phase: TypeAlias = Literal["connect", "first_byte", "idle", "total"]


class UpstreamError(Exception):
    """A service did not give a whole and proper answer."""

    unsent: bool = False
    """True where nothing of the request reached the service, so that another endpoint may be tried."""

    def __init__(self, message: str, *, endpoint: str = "") -> None:
        super().__init__(message)
        self.service = ""
        """Name of the service; filled in by `Upstream.forward`."""
        self.endpoint = endpoint
        """`host:port` that failed; empty where none was chosen."""


class UpstreamUnavailable(UpstreamError):
    """No connection could be had: refused, unknown host, too many waiting already, or shutting down."""

    unsent = True


class UpstreamOverloaded(UpstreamUnavailable):
    """As many requests as allowed are under way, and the queue before them is full or too slow."""


class CircuitOpen(UpstreamError):
    """A breaker refuses the call; the service has not seen it."""

    unsent = True

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """Seconds until a call may be tried."""


class TooManyRetries(UpstreamError):
    """The caller repeats a call while the retry budget is spent; the service has not seen it."""

    unsent = True


class UpstreamTimeout(UpstreamError):
    """The service was slower than a limit allows, and nothing of its answer has been passed on."""

    def __init__(self, message: str, *, phase: Phase, endpoint: str = "") -> None:
        super().__init__(message, endpoint=endpoint)
        self.phase: Phase = phase
        self.unsent = phase == "connect"


class UpstreamProtocolError(UpstreamError):
    """The service sent something that is not an HTTP/1.1 answer within the limits, or none at all."""


class UpstreamClosed(UpstreamProtocolError):
    """The service closed the connection before the answer was complete."""

    def __init__(self, message: str, *, endpoint: str, stale: bool) -> None:
        super().__init__(message, endpoint=endpoint)
        self.stale = stale
        """True for a connection that had been used before and brought not one byte of this answer.

        The service most likely closed it before it saw the request.
        """


class UpstreamAborted(UpstreamError):
    """The answer broke off after its head had been passed on.

    The client must not take what it got for the whole: close its connection without finishing the body.
    """


class ClientDisconnected(Exception):
    """The caller went away before the answer was complete."""


class BodyLengthMismatch(Exception):
    """A streamed request body turned out shorter or longer than its `content_length`."""
