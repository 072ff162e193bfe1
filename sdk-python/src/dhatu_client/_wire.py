"""What passes between the flow and the transport that carries it out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit

from ._encoding.content import Body

FailureKind: TypeAlias = Literal["connect", "connect_timeout", "pool_timeout", "timeout", "lost"]


SHARE_TO_CONNECT: Final = 0.95
"""Of the time left: a little less than all of it, so that the error says that nothing was sent, and not only
that the time is up."""


class Endpoint(NamedTuple):
    """One place where the API is served."""

    url: str
    """Base URL without a slash at the end."""
    weight: float = 1.0
    """Share of the calls in relation to the other endpoints, above 0."""

    host: str = ""
    """The name that the Host header carries and that TLS verifies, where the URL holds a bare address; with
    its port where that is not the scheme's own. Empty: what the URL says."""

    def __repr__(self) -> str:
        return f"Endpoint(url={without_user(self.url)!r}, weight={self.weight!r}, host={self.host!r})"


def without_user(url: str) -> str:
    """An address to show: user and password may stand in it.

    >>> without_user("https://me:secret@api.test/base")
    'https://api.test/base'
    """
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent, by each attempt alike."""

    method: str
    target: str = field(repr=False)
    """Path and query after the base URL, percent-encoded; may hold an API key."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: Body | None
    open_ended: bool = False
    """Whether the answer is to be read as it arrives, so that no time is set for all of it."""
    confined: bool = False
    """Whether no redirect is followed, whatever the HTTP client does otherwise: the body is a secret."""


class AnswerReader(Protocol):
    """The body of an answer that is still arriving, for the sync client.

    Iteration raises `TransportFailed`.
    """

    def chunks(self) -> Generator[bytes, None, None]: ...

    def close(self) -> None: ...


class AsyncAnswerReader(Protocol):
    """The body of an answer that is still arriving, for the async client.

    Iteration raises `TransportFailed`.
    """

    def chunks(self) -> AsyncGenerator[bytes, None]: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: its body whole, or a reader of it."""

    status: int
    headers: Mapping[str, str]
    """Looked up in lower case; repeated ones are joined by commas."""
    content: bytes = b""
    reader: AnswerReader | AsyncAnswerReader | None = None
    attempts: int = 1
    """The first try, its retries and hedges."""

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why no complete answer arrived."""

    kind: FailureKind
    cause: Exception

    @property
    def unsent(self) -> bool:
        """Whether the request provably never left."""
        return self.kind in ("connect", "connect_timeout", "pool_timeout")


def out_of_time() -> Failure:
    """The time left for an attempt is over."""
    return Failure(kind="timeout", cause=TimeoutError("the time for the call ran out"))


class TransportFailed(Exception):
    """Carries a `Failure` through an iterator; never leaves the package."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.kind)
        self.failure = failure


Outcome: TypeAlias = Answer | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Asks the driver for one attempt."""

    request: Request
    endpoint: Endpoint
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Further headers, of this attempt only."""
    connect_s: float
    """For the connection alone; leaves time for another attempt, which is safe after a failed connect."""
    time_left_s: float
    """For the whole answer, or for its head where the reader is kept."""
    idle_s: float
    """For each further piece of an answer that is kept open."""
    keep_open: Callable[[int, str], bool]
    """Tells by status and media type whether the body is left to the caller to read."""

    @property
    def url(self) -> str:
        return self.endpoint.url + self.request.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Asks the driver for one attempt, and for another beside it where the first takes long."""

    first: Send
    after_s: float
    second: Callable[[], Send | None]
    """Asked once after that time; None where there is to be no second."""
    decisive: Callable[[Outcome], bool]
    """Whether an outcome ends the race; one that is not waits for the other attempt."""


class Raced(NamedTuple):
    """How a race ended; None for an attempt that was not made, or cancelled because the other one won."""

    first: Outcome | None
    second: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Asks the driver to wait."""

    delay_s: float


class Transport(Protocol):
    """Sends one request and says how that ended; raises only what the caller's own body raised."""

    def send(self, step: Send) -> Outcome: ...


class AsyncTransport(Protocol):
    """The same, awaited."""

    async def send(self, step: Send) -> Outcome: ...


class Source(Protocol):
    """Something that has to be fetched before a call can go on: a token, a list of endpoints.

    Shared by all calls of a client, so that implementations see to it that many callers fetch it once. Raises
    `DhatuError`, or `TransportFailed`, which counts as a failed attempt.
    """

    def fetch(self, transport: Transport, time_left_s: float) -> Any:
        """Whoever waits for another thread gives up after that time; a driver that awaits cancels instead."""
        ...

    async def afetch(self, transport: AsyncTransport) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Asks the driver to fetch from a source; what comes of it is sent to the flow, or raised in it."""

    source: Source
    time_left_s: float
