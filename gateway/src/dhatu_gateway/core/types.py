"""What the generated table is made of: frozen descriptions, read once at boot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dhatu_gateway.core.upstream.policy import Breaker, Hedge, Tries, UpstreamPolicy

Validation: TypeAlias = Literal["enforce", "log", "off"]
Priority: TypeAlias = Literal["low", "normal", "high", "critical"]
"""Which calls are refused first when there are too many; critical ones are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value in the path, the query, a header or a cookie."""

    name: str
    location: Literal["path", "query", "header", "cookie"]
    required: bool
    style: str
    """OpenAPI's `style`, the default filled in."""
    explode: bool
    content_type: str
    """Media type of a `content` parameter; empty for one with a schema."""
    schema: str
    """JSON Pointer into `openapi.json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How one property of a form or multipart body is written."""

    name: str
    content_type: str
    """Media types that it may have, separated by commas; empty where nothing says so."""
    style: str
    """As of a query parameter; empty where nothing says so."""
    explode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    """One media type that a body may have."""

    media_type: str
    """Lower case, without parameters."""
    schema: str
    """JSON Pointer into `openapi.json`; empty where any bytes are allowed."""
    kind: Literal["json", "form", "multipart", "stream"]
    """json and form: the whole body is read and validated before it goes on; multipart: validated while it
    streams; stream: passed on as it comes."""
    parts: tuple[Part, ...]
    """Of a form or multipart body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The request body of an operation."""

    required: bool
    media_types: tuple[MediaType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service may answer with one status."""

    status: str
    """`200`, `4XX` or `default`."""
    media_types: tuple[MediaType, ...]
    headers: tuple[Parameter, ...] = ()
    """Fields that the document describes, all with the location `header`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A security scheme by its key, and the scopes that must be held, all of them."""

    scheme: str
    scopes: tuple[str, ...]


Requirement: TypeAlias = tuple[Credential, ...]
"""Credentials needed together; the empty one lets anybody in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityScheme:
    """How a credential travels."""

    key: str
    kind: Literal["bearer", "api_key", "oauth2", "open_id", "mutual_tls", "basic"]
    location: Literal["header", "query", "cookie"]
    parameter: str
    """Name of the header, query parameter or cookie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How often somebody may call an operation, or how many of their calls may be under way at once."""

    name: str
    """What headers and messages call it; unique on its operation."""
    algorithm: Literal["token_bucket", "gcra", "sliding_log", "sliding_window", "quota", "concurrency"]
    limit: int
    """Calls per window, or at once."""
    window_s: float
    """0 where calls are counted that are under way."""
    per: Literal["", "day", "month"]
    """Of a quota: what it starts anew with, in UTC."""
    burst: int
    """Calls that may come at once, of a bucket and of GCRA; the others do not use it."""
    cost: int
    """For how many calls one call of this operation counts."""
    lease: int
    """How many calls a process takes from the shared store at once; 1 asks for each."""
    by: Literal["principal", "key", "address", "operation", "service", "header"]
    header: str
    """The one that is counted by; empty with any other `by`."""
    across: Literal["operation", "service", "api"]
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
class Validate:
    """What to do with each part of a message that the specification does not allow."""

    path: Validation
    query: Validation
    headers: Validation
    cookies: Validation
    body: Validation
    response: Validation
    undeclared: Literal["keep", "strip"]
    """What to do with members of answers that no schema declares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Which browsers' pages may call."""

    allow_origins: tuple[str, ...]
    """As browsers send them; `*` for all."""
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    allow_credentials: bool
    max_age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """How long an answer may be given again, where the answer itself does not say."""

    ttl_s: float
    stale_if_error_s: float
    """How long after that it may stand in for an error."""
    vary: tuple[str, ...]
    """Fields of the request that an answer depends on."""
    shared: bool
    """Whether all callers get the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What to answer when the service cannot."""

    status: int
    body: str
    """JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """That an operation has one effect for each `Idempotency-Key`."""

    keep_s: float
    """How long a first answer is given again."""
    required: bool
    """Whether requests without a key are refused."""


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
class Route:
    """One operation, as the gateway enforces it."""

    operation: str
    """Unique and for people: `corpus.search`."""
    service: str
    version: str
    """`v1`; empty where the path carries none."""
    method: str
    """Upper case."""
    path: str
    """OpenAPI path template."""
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    """Empty where nobody looks at them."""
    security: tuple[Requirement, ...]
    """Alternatives; empty lets anybody in."""
    roles: tuple[str, ...]
    timeout_s: float
    max_body_bytes: int
    rate_limits: tuple[RateLimit, ...]
    """All of them hold; a call that one of them refuses counts for none."""
    validate: Validate
    deprecated: bool
    sunset: str
    """RFC 3339 date, or empty."""
    cors: Cors | None
    """None where the platform's holds."""
    networks: Networks | None
    idempotency: Idempotency | None = None
    cache: Cache | None = None
    fallback: Fallback | None = None
    priority: Priority = "normal"
    retry: Literal["safe", "idempotent", "keyed", "never"] = "never"
    """keyed: it may be repeated under one Idempotency-Key."""
    tries: Tries = field(default_factory=Tries)
    """Where `retry` allows more than one."""
    hedge: Hedge | None = None
    breaker: Breaker | None = None
    websocket: WebSocket | None = None

    @property
    def holds(self) -> bool:
        """Whether its calls hold something that has to be given back when they are over."""
        return any(limit.algorithm == "concurrency" for limit in self.rate_limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A backend and the variable that says where it is; no variable for the gateway's own endpoints."""

    name: str
    url_variable: str
    default_url: str
    upstream: UpstreamPolicy = field(default_factory=UpstreamPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the API."""

    name: str
    state: Literal["current", "deprecated"]
    deprecated_at: str
    """RFC 3339 date, or empty."""
    sunset: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What somebody may be, with everything that it inherits."""

    name: str
    holds: tuple[str, ...]
    """Every role that it stands for, itself included."""
    scopes: tuple[str, ...]
    """Every scope that it grants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Everything the generated table says that is not about one route."""

    title: str
    version: str
    header_prefix: str
    """Prefix of the platform's own headers: `X-Dhatu-`."""
    services: tuple[Service, ...]
    versions: tuple[Version, ...]
    security_schemes: tuple[SecurityScheme, ...]
    scopes: tuple[tuple[str, str], ...]
    """Every scope that an operation asks for, with what it allows, sorted."""
    cors: Cors
    security_headers: tuple[tuple[str, str], ...]
    """Name and value of what every answer carries."""
    roles: tuple[Role, ...] = ()
    """None where scopes are given one by one."""
