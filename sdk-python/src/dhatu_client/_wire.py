"""What passes between the flow and the transport that carries it out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from ._content import Body

FailureKind: TypeAlias = Literal["connect", "connect_timeout", "pool_timeout", "timeout", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent, by each attempt alike."""

    method: str
    url: str = field(repr=False)
    """Whole, percent-encoded; may hold an API key."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: Body | None
    open_ended: bool = False
    """Whether the answer is to be read as it arrives, so that no time is set for all of it."""


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
    headers: tuple[tuple[str, str], ...]
    """Further headers, of this attempt only."""
    time_left_s: float
    """For the whole answer, or for its head where the reader is kept."""
    idle_s: float
    """For each further piece of an answer that is kept open."""
    keep_open: Callable[[int, str], bool]
    """Tells by status and media type whether the body is left to the caller to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Asks the driver to wait."""

    delay_s: float
