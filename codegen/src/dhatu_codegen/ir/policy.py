"""How a call is carried: the `x-dhatu` policies, after inheritance and defaults.

Each field is handled by every consumer or listed there as unsupported; a test keeps this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from .schema import Json
from .upstream import Breaker, Hedge, Tries

RetryClass: TypeAlias = Literal["safe", "idempotent", "keyed", "never"]
"""safe: reads only. idempotent: repeating changes nothing more. keyed: repeatable under one key."""

Priority: TypeAlias = Literal["low", "normal", "high", "critical"]
"""Which calls are refused first when there are too many; critical ones are not."""

Validation: TypeAlias = Literal["enforce", "log", "off"]
"""Refuse it, pass it on and log what is wrong with it, or do not look."""


LimitAlgorithm: TypeAlias = Literal[
    "token_bucket", "gcra", "sliding_log", "sliding_window", "quota", "concurrency"
]
LimitBy: TypeAlias = Literal["principal", "key", "address", "operation", "service", "header"]
LimitAcross: TypeAlias = Literal["operation", "service", "api"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How often somebody may call an operation, or how many of their calls may be under way at once."""

    name: str
    """What headers and messages call it; unique on its operation."""
    algorithm: LimitAlgorithm
    limit: int
    """Calls per window, or at once; at least 1."""
    window_s: float
    """The longest that a day or a month can be, where there is a `per`; 0 where calls at once are counted."""
    per: Literal["", "day", "month"]
    """Of a quota: what it starts anew with, in UTC."""
    burst: int
    """Calls that may come at once, at least 1; the limit with an algorithm that knows no bursts."""
    cost: int
    """For how many calls one call of this operation counts, at least 1."""
    lease: int
    """How many calls a process takes from the shared store at once; 1 asks for each."""
    by: LimitBy
    header: str
    """The one that is counted by; empty with any other `by`."""
    across: LimitAcross
    """Whether calls of other operations are counted along."""
    roles: tuple[str, ...]
    """Only callers with one of these are counted; empty for all."""
    except_roles: tuple[str, ...]
    """Callers with one of these are not."""
    shadow: bool
    """Counted, but nobody is refused."""
    charge_refused: bool
    """Whether a refused call counts as well."""
    on_store_failure: Literal["open", "closed", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """That an operation has one effect for each `Idempotency-Key`."""

    keep_s: float
    """How long a first answer is given again."""
    required: bool
    """Whether requests without a key are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """How long an answer may be served again."""

    ttl_s: float
    stale_if_error_s: float
    vary: tuple[str, ...]
    """Fields of the request that an answer depends on."""
    shared: bool
    """Whether all callers get the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What to answer when the service cannot."""

    status: int
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate:
    """What to do with a message that the spec does not allow, part by part."""

    path: Validation
    query: Validation
    headers: Validation
    cookies: Validation
    body: Validation
    """Of the request."""
    response: Validation
    undeclared: Literal["keep", "strip"]
    """What to do with members of answers that no schema declares."""


REQUEST_PARTS: Final = ("path", "query", "headers", "cookies", "body")
"""The fields of `Validate` that are about requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Which browsers' pages may call."""

    allow_origins: tuple[str, ...] = ()
    """As browsers send them; `*` for all."""
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """From where calls are taken."""

    allow: tuple[str, ...]
    """Empty for anywhere."""
    deny: tuple[str, ...]
    """Counts more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocket:
    """That an operation opens a WebSocket to its service."""

    idle_s: float
    """How long neither side may send a byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that `x-dhatu` says about one operation, `sdk` excepted."""

    timeout_s: float
    """Time for the whole call, from the gateway's point of view."""
    max_body_bytes: int
    """Largest request body."""
    retry: RetryClass
    idempotency: Idempotency | None
    """Of an operation that may be repeated under one key."""
    tries: Tries
    """Of the gateway, where the class allows more than one."""
    hedge: Hedge | None
    rate_limit: tuple[RateLimit, ...]
    """All of them hold."""
    breaker: Breaker | None
    cache: Cache | None
    fallback: Fallback | None
    priority: Priority
    validate: Validate
    roles: tuple[str, ...]
    cors: Cors
    networks: Networks | None
    websocket: WebSocket | None
