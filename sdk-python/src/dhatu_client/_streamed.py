"""What all answers have in common whose body is still arriving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._errors import DhatuError
from ._failures import failure_error
from ._media import essence
from ._wire import Answer, TransportFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHead:
    """What is known of a streamed answer before its body."""

    answer: Answer
    operation: str
    idle_s: float

    def error(self, failed: TransportFailed) -> DhatuError:
        """The error to raise where the body breaks off."""
        return failure_error(failed.failure, self.operation, self.idle_s)


class StreamedAnswer:
    """An answer whose body is still arriving; close it, or read it to its end, to free its connection."""

    def __init__(self, head: StreamHead) -> None:
        self._head = head

    @property
    def status(self) -> int:
        return self._head.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Looked up in lower case."""
        return self._head.answer.headers

    @property
    def request_id(self) -> str:
        """Names this request in the server's logs; empty where the server gave none."""
        return self._head.answer.request_id

    @property
    def attempts(self) -> int:
        """The first try and its retries."""
        return self._head.answer.attempts

    @property
    def media_type(self) -> str:
        """Of the body, without parameters."""
        return essence(self.headers.get("content-type", ""))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._head.operation}, {self.status} {self.media_type}>"
