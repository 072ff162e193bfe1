"""Everything that a call can raise.

    DhatuError
    ├── ConfigurationError            the client was set up wrongly
    ├── ArgumentError                 a call's arguments cannot be sent
    ├── TokenError                    no access token could be had
    ├── DiscoveryError                where the API is served could not be found out
    ├── BreakerOpenError              refused here, because the server kept failing
    ├── TransportError                no answer arrived
    │   ├── ConnectionFailedError     nothing was sent
    │   │   └── ConnectTimeoutError
    │   ├── ConnectionLostError       the connection broke after sending had begun
    │   └── CallTimeoutError          no answer, or not all of it, in time
    │       └── DeadlineExceededError the time for the whole call, retries included, ran out
    ├── DecodingError                 an answer arrived that does not match the API's description
    ├── ChecksumError                 a download arrived that does not match its checksum
    ├── PaginationError               the pages of a list go round in circles
    ├── JobFailedError                work that an operation began did not succeed
    ├── JobTimeoutError               ... or did not end in time
    └── APIStatusError                an answer arrived that says no
        ├── BadRequestError           400
        ├── AuthenticationError       401
        ├── PermissionDeniedError     403
        ├── NotFoundError             404
        ├── ConflictError             409
        ├── ContentTooLargeError      413
        ├── UnsupportedMediaTypeError 415
        ├── UnprocessableEntityError  422
        ├── RateLimitedError          429
        ├── ServerError               5xx
        └── StreamError               said in the middle of a stream that had begun as a success

No message or repr holds a credential, a header, a query or a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._problem import FieldError, Problem

_PUBLIC = __name__.rpartition(".")[0]
"""Where these classes are imported from, and so what tracebacks call them by."""


class DhatuError(Exception):
    """The root of all errors of this package."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__ == __name__:
            cls.__module__ = _PUBLIC

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own way calls __init__ with the message alone, which these classes do not take.
        return _restore, (type(self), self.args, self.__dict__)


class ConfigurationError(DhatuError, ValueError):
    """The client was set up in a way that cannot work."""


class ArgumentError(DhatuError, ValueError):
    """The arguments of a call cannot be sent; nothing was."""


class TokenError(DhatuError):
    """No access token could be had: where tokens come from refused, failed or made no sense.

    Nothing was sent to the API itself.
    """

    def __init__(self, message: str, *, error: str = "", description: str = "", status: int = 0) -> None:
        said = ": ".join(part for part in (error, description) if part)
        super().__init__(f"no access token: {message}{f': {said}' if said else ''}")
        self.error = error
        """`invalid_client` and the like (RFC 6749, section 5.2); empty where none was given."""
        self.description = description
        """What the server said for people, secrets removed."""
        self.status = status
        """Of the answer; 0 where none arrived."""


class DiscoveryError(DhatuError):
    """A provider of endpoints could not find out where the API is served; nothing was sent to it."""


class BreakerOpenError(DhatuError):
    """The call was refused here, without asking the server, because it kept failing."""

    def __init__(self, operation: str, *, retry_after_s: float) -> None:
        super().__init__(
            f"{operation}: not sent, because the server failed too often in a row; "
            f"try again in {retry_after_s:.1f} s"
        )
        self.operation = operation
        self.retry_after_s = retry_after_s
        """Seconds until the next call is let through."""


class TransportError(DhatuError):
    """No complete answer arrived."""

    def __init__(self, message: str, *, operation: str, attempts: int) -> None:
        super().__init__(f"{operation}: {message}{_after(attempts)}")
        self.operation = operation
        self.attempts = attempts
        """The first try and its retries."""


class ConnectionFailedError(TransportError):
    """No connection could be made; nothing was sent, so that the call is safe to repeat."""


class ConnectTimeoutError(ConnectionFailedError, TimeoutError):
    """No connection could be made in time; nothing was sent."""


class ConnectionLostError(TransportError):
    """The connection broke; the server may or may not have acted."""


class CallTimeoutError(TransportError, TimeoutError):
    """The time for the call ran out; the server may or may not have acted."""


class DeadlineExceededError(CallTimeoutError):
    """The time for the whole call ran out, attempts and waits included; there was none left to try again."""


class DecodingError(DhatuError):
    """An answer arrived that does not match the API's description."""

    def __init__(self, message: str, *, operation: str, status: int, request_id: str = "") -> None:
        super().__init__(f"{operation}: {message}{_quoting(request_id)}")
        self.operation = operation
        self.status = status
        self.request_id = request_id


class ChecksumError(DhatuError):
    """A download arrived that does not match its checksum; nothing was left where it was to be saved."""

    def __init__(self, operation: str, *, algorithm: str, source: str, request_id: str = "") -> None:
        super().__init__(
            f"{operation}: what arrived does not match the {algorithm} of {source}; download it again"
            f"{_quoting(request_id)}"
        )
        self.operation = operation
        self.algorithm = algorithm
        """As `hashlib` calls it: sha256."""
        self.source = source
        """Who said what it should be: a header of the answer, or the `checksum=` of the caller."""
        self.request_id = request_id


class PaginationError(DhatuError):
    """The server points to a page that was read already, so that its list has no end."""

    def __init__(self, message: str, *, operation: str) -> None:
        super().__init__(f"{operation}: {message}")
        self.operation = operation


class JobFailedError(DhatuError):
    """Work that an operation began did not succeed."""

    def __init__(self, operation: str, *, job: Any, state: str, reason: str = "") -> None:
        super().__init__(f"{operation}: the job ended as {state}{f': {reason}' if reason else ''}")
        self.operation = operation
        self.job = job
        """The model that told so."""
        self.state = state
        self.reason = reason
        """Why, in the server's words; empty where it gave none."""


class JobTimeoutError(DhatuError, TimeoutError):
    """Work that an operation began did not end in the time that the caller gave it; it may go on."""

    def __init__(self, operation: str, *, job: Any, timeout_s: float) -> None:
        super().__init__(f"{operation}: the job did not end within {timeout_s:g} s; it may still go on")
        self.operation = operation
        self.job = job
        """How it was last."""


class APIStatusError(DhatuError):
    """The server answered with a status that is not a success."""

    def __init__(
        self,
        *,
        operation: str,
        status: int,
        problem: Problem,
        request_id: str = "",
        retry_after_s: float | None = None,
        attempts: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        request_id = request_id or problem.request_id
        super().__init__(
            f"{operation}: {status} {problem.summary()}{self._advice(retry_after_s)}"
            f"{_after(attempts)}{_quoting(request_id)}"
        )
        self.operation = operation
        self.status = status
        self.problem = problem
        """What the server said (RFC 9457); made up from the status where it said nothing readable."""
        self.request_id = request_id
        """Names this request in the server's logs; empty where the server gave none."""
        self.retry_after_s = retry_after_s
        """Seconds the server asked to wait; None where it did not ask."""
        self.attempts = attempts
        """The first try and its retries."""
        self.headers: Mapping[str, str] = dict(headers or {})
        """Of the answer, by their names in lower case."""

    @property
    def errors(self) -> tuple[FieldError, ...]:
        """Every part of the request that was refused."""
        return self.problem.errors

    def _advice(self, retry_after_s: float | None) -> str:
        return "" if retry_after_s is None else f" (Retry-After: {retry_after_s:g} s)"


class BadRequestError(APIStatusError):
    """400: the request does not match the API; `errors` names each part."""


class AuthenticationError(APIStatusError):
    """401: no valid credential was sent."""

    def _advice(self, retry_after_s: float | None) -> str:
        return "; check the api_key= or token= (or auth=) that the client was given" + super()._advice(
            retry_after_s
        )


class PermissionDeniedError(APIStatusError):
    """403: the credential does not allow this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing."""


class ConflictError(APIStatusError):
    """409: the request does not fit the present state."""


class ContentTooLargeError(APIStatusError):
    """413: the body is larger than the operation takes."""


class UnsupportedMediaTypeError(APIStatusError):
    """415: the operation does not take this kind of body."""


class UnprocessableEntityError(APIStatusError):
    """422: understood, but refused."""


class RateLimitedError(APIStatusError):
    """429: too many calls; `retry_after_s` says when to come back."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


class StreamError(APIStatusError):
    """An error among the items of a stream, which ends there.

    `status` is what the error says of itself, else that of the answer, which had begun as a success.
    """

    def _advice(self, retry_after_s: float | None) -> str:
        return " (in the middle of the stream)" + super()._advice(retry_after_s)


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: ContentTooLargeError,
    415: UnsupportedMediaTypeError,
    422: UnprocessableEntityError,
    429: RateLimitedError,
}


def error_class(status: int) -> type[APIStatusError]:
    """The class that speaks for a status.

    >>> error_class(429).__name__, error_class(503).__name__, error_class(418).__name__
    ('RateLimitedError', 'ServerError', 'APIStatusError')
    """
    return ServerError if status >= 500 else _BY_STATUS.get(status, APIStatusError)


def _restore(kind: type[DhatuError], args: tuple[Any, ...], state: dict[str, Any]) -> DhatuError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


def _after(attempts: int) -> str:
    return f" (after {attempts} attempts)" if attempts > 1 else ""


def _quoting(request_id: str) -> str:
    return f" [request id {request_id}]" if request_id else ""
