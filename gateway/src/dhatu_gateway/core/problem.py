"""Every error that the gateway answers with, as RFC 9457 problem details.

ProblemError                what a stage raises to refuse a request; carries a Problem
    Problem                 kind, detail, refused parts, headers of the answer
        KINDS               kind -> status and title; each kind is a page of the documentation
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import orjson

from dhatu_gateway.core.exchange import Header

Kind: TypeAlias = Literal[
    "malformed-request",
    "invalid-request",
    "unsupported-version",
    "unauthorized",
    "forbidden",
    "not-found",
    "method-not-allowed",
    "request-timeout",
    "conflict",
    "content-too-large",
    "uri-too-long",
    "unsupported-media-type",
    "idempotency-key-reused",
    "expectation-failed",
    "upgrade-required",
    "too-many-requests",
    "headers-too-large",
    "internal-error",
    "upstream-failed",
    "answer-refused",
    "upstream-unavailable",
    "upstream-overloaded",
    "circuit-open",
    "too-many-retries",
    "unavailable",
    "overloaded",
    "maintenance",
    "upstream-timeout",
    "deadline-exceeded",
]

KINDS: dict[Kind, tuple[int, str]] = {
    "malformed-request": (400, "Malformed request"),
    "invalid-request": (400, "Invalid request"),
    "unsupported-version": (400, "Unsupported version"),
    "unauthorized": (401, "Unauthorized"),
    "forbidden": (403, "Forbidden"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "request-timeout": (408, "Request timeout"),
    "conflict": (409, "Conflict"),
    "content-too-large": (413, "Content too large"),
    "uri-too-long": (414, "URI too long"),
    "unsupported-media-type": (415, "Unsupported media type"),
    "idempotency-key-reused": (422, "Idempotency key reused"),
    "expectation-failed": (417, "Expectation failed"),
    "upgrade-required": (426, "Upgrade required"),
    "too-many-requests": (429, "Too many requests"),
    "headers-too-large": (431, "Headers too large"),
    "internal-error": (500, "Internal error"),
    "upstream-failed": (502, "Bad gateway"),
    "answer-refused": (502, "Answer refused"),
    "upstream-unavailable": (503, "Service unavailable"),
    "upstream-overloaded": (503, "Service overloaded"),
    "circuit-open": (503, "Circuit open"),
    "too-many-retries": (503, "Too many retries"),
    "unavailable": (503, "Gateway unavailable"),
    "overloaded": (503, "Too many calls at once"),
    "maintenance": (503, "Under maintenance"),
    "upstream-timeout": (504, "Gateway timeout"),
    "deadline-exceeded": (504, "Deadline exceeded"),
}

TYPE_PREFIX = "https://docs.dhatu.dev/problems/"
CONTENT_TYPE = b"application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One part of a request that was refused."""

    location: Literal["body", "path", "query", "header", "cookie"]
    name: str
    """Name of the parameter, or the JSON Pointer into the body."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, and what the caller can do about it."""

    kind: Kind
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: tuple[Header, ...] = ()
    """Added to the answer: `Retry-After`, `WWW-Authenticate`, `Allow`."""

    @property
    def status(self) -> int:
        return KINDS[self.kind][0]

    @property
    def title(self) -> str:
        return KINDS[self.kind][1]

    def to_json(self, *, instance: str = "", request_id: str = "") -> bytes:
        """Render the body of the answer; empty members are left out."""
        members: dict[str, Any] = {
            "type": TYPE_PREFIX + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if instance:
            members["instance"] = instance
        if request_id:
            members["request_id"] = request_id
        if self.errors:
            members["errors"] = self.errors
        return orjson.dumps(members)


def problem_headers(problem: Problem, body: bytes) -> list[Header]:
    """Return the headers of the answer that carries `body`, the rendered problem."""
    return [
        (b"content-type", CONTENT_TYPE),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *problem.headers,
    ]


class ProblemError(Exception):
    """Refuses the request at hand; the edge answers with the problem."""

    def __init__(
        self, kind: Kind, detail: str, *, errors: Sequence[FieldError] = (), headers: Sequence[Header] = ()
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(kind=kind, detail=detail, errors=tuple(errors), headers=tuple(headers))


INTERNAL_ERROR = Problem(
    kind="internal-error",
    detail="The gateway failed to handle this request; the failure has been logged under its request_id.",
)
