"""What a generated method hands to the runtime: a frozen description of the operation, and the arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    Literal,
    NamedTuple,
    TypeAlias,
    TypedDict,
    TypeVar,
    final,
)

T = TypeVar("T", covariant=True)
if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    S = TypeVarWithDefault("S", covariant=True, default=T)
else:  # only checkers ask for the default, and what knows of it takes long to import
    S = TypeVar("S", covariant=True)

RetryClass: TypeAlias = Literal["safe", "idempotent", "keyed", "never"]
PayloadKind: TypeAlias = Literal["json", "jsonl", "sse", "form", "multipart", "text", "binary"]

STREAMED: Final = frozenset({"binary", "sse", "jsonl"})
"""Kinds of answers that are read as they arrive."""


@final
class Omit:
    """The type of `OMIT`: an argument that was not given, where None means a JSON null."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "OMIT"


OMIT: Final = Omit()
"""Leaves a parameter or a property out of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHead:
    """What came with a successful answer, beside its body."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case; repeated ones are joined by commas."""
    attempts: int = 1
    """The first try and its retries."""

    @property
    def request_id(self) -> str:
        """Names this request in the server's logs; empty where the server gave none."""
        return self.headers.get("x-request-id", "")


class Progress(NamedTuple):
    """How far an upload or a download is."""

    done_bytes: int
    """Sent or received by this attempt; of a download that was resumed, with what was there before."""
    total_bytes: int | None
    """None where nobody knows."""


OnProgress: TypeAlias = Callable[[Progress], object]


class CallOptions(TypedDict, total=False):
    """Options that every method takes."""

    timeout_s: float
    """Time for the whole call, retries and waits included, in seconds; for a streamed answer until it begins,
    and then for each piece. The operation's own default comes from the spec."""
    attempt_timeout_s: float
    """Time for each attempt, in seconds; all that is left where it is not given."""
    max_retries: int
    """Retries after the first attempt; 0 turns them off."""
    idempotency_key: str
    """Sent as `Idempotency-Key`, the same on every attempt; made up where the operation needs one."""
    extra_headers: Mapping[str, str]
    """`Accept` among them chooses among the media types of the answer, `Content-Type` among those of the
    body."""
    extra_query: Mapping[str, str]
    extra_body: Mapping[str, Any]
    """Members added to a body that is an object, a form or in parts."""
    event_idle_s: float
    """Longest time from one event of a stream to the next, or between two pieces of a download, in seconds;
    comments that keep the connection alive do not count. The time for the call where it is not given."""
    resume: bool
    """False: a stream or a download that breaks off is not gone on with."""
    on_progress: OnProgress
    """Called with the `Progress` of the body that is sent; begins at 0 again with each attempt."""
    progress: bool
    """True: draw a bar of that on the terminal, for which the extra `progress` is needed."""
    strict: bool
    """True: an answer with a value, a kind or a type that the API's description does not know raises
    `DecodingError`; otherwise it is kept as it came, so that a newer server can be read."""
    on_answer: Callable[[AnswerHead], object]
    """Called with status and headers of a successful answer, before its body is understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSpec:
    """Where one argument goes outside the body."""

    argument: str
    """Name of the keyword argument."""
    location: Literal["path", "query", "header", "cookie"]
    name: str = ""
    """Name on the wire; that of the argument where it is not given."""
    style: str = "form"
    explode: bool = True
    allow_reserved: bool = False
    content_type: str = ""
    """Media type of a `content` parameter, which travels serialised."""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.argument)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One member of an object, form or multipart body."""

    argument: str
    name: str = ""
    """Name on the wire; that of the argument where it is not given."""
    content_type: str = ""
    """Of a multipart part or a form's value, where the spec sets it: perhaps several, or a range."""
    file: bool = False
    """True for a multipart part that takes file content."""
    style: str = ""
    """As of a query parameter, where the spec says so instead of a content type."""
    explode: bool = False
    allow_reserved: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.argument)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySpec:
    """One media type that the body may have; the first whose arguments were given is sent."""

    media_type: str
    kind: PayloadKind
    fields: tuple[FieldSpec, ...] = ()
    """Arguments that become members of the body."""
    argument: str = ""
    """The one argument that is the whole body, where there are no fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSpec:
    """How one kind of answer is understood."""

    status: str
    """`200`, a range such as `2XX`, or `default`."""
    media_type: str = ""
    """Empty where the answer has no body."""
    kind: PayloadKind | Literal["empty"] = "empty"
    type: str = ""
    """Python type expression over `generated.models`, resolved on first use: `SearchPage`, `list[Document]`;
    for jsonl and sse the type of one item; empty for any JSON value. Alone, it means `application/json`."""

    def __post_init__(self) -> None:
        if self.type and not self.media_type:
            object.__setattr__(self, "media_type", "application/json")
            object.__setattr__(self, "kind", "json")


class PageSpec(NamedTuple):
    """How the next page of an answer is asked for.

    Members are named by their way from the answer's root: `documents`, `meta.next_cursor`.
    """

    type: str
    """Name in `generated.bound` of the async page; the sync one's begins with Sync."""
    items: str
    style: Literal["cursor", "page", "offset", "link"] = "cursor"
    argument: str = ""
    """Takes the cursor, the number of the page or the offset; empty for link."""
    cursor: str = ""
    """Holds the next cursor or link; empty for page and offset, and for a link in the header `Link`."""
    total: str = ""
    """Holds the number of items on all pages; empty where none does."""
    first: int = 1
    """What `argument` is where it is not given, for page and offset."""


class JobSpec(NamedTuple):
    """How work is followed that goes on after the answer."""

    type: str
    """Name in `generated.bound` of the async job; the sync one's begins with Sync."""
    status: Callable[[], Operation[Any, Any]]
    """The operation that says how far the job is; a function, since it may be the one that holds this."""
    argument: str
    """Of that operation: which job."""
    done: tuple[str | int | bool, ...]
    failed: tuple[str | int | bool, ...] = ()
    id: str = "id"
    state: str = "state"
    error: str = ""
    poll_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation(Generic[T, S]):
    """One operation: the async client returns `T`, the sync one `S`, which is `T` unless the answer streams.

    `Operation[SearchPage]`; `Operation[Result | BinaryResponse, Result | SyncBinaryResponse]`.
    """

    key: str
    """`corpus.search`: for logs and errors."""
    method: str
    path: str
    """Template: `/api/v1/corpus/documents/{id}`."""
    parameters: tuple[ParameterSpec, ...] = ()
    bodies: tuple[BodySpec, ...] = ()
    body_required: bool = False
    responses: tuple[ResponseSpec, ...] = ()
    security: tuple[tuple[str, ...], ...] = ()
    """Alternatives of scheme keys needed together; empty where anybody may call."""
    retry: RetryClass = "never"
    timeout_s: float = 60.0
    deprecated: str = ""
    """What to say to a caller of a deprecated operation; empty for a current one."""
    base_url: str = ""
    """Where it is served, if not where the API is; a path alone is taken from there."""
    page: PageSpec | None = None
    job: JobSpec | None = None


Arguments: TypeAlias = Mapping[str, object]
"""Argument name to value; `OMIT` where the caller gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSpec:
    """One way to obtain the tokens of a scheme: where to ask, and how (RFC 6749 unless it says otherwise)."""

    kind: str
    """client_credentials, refresh_token, password, or another that the API has, such as api_key."""
    url: str
    """One that is not whole is taken from where the API is: `api/v1/auth/token`."""
    json: bool = False
    """Whether the request travels as JSON instead of as a form."""
    says_kind: bool = True
    """Whether the request holds `grant_type`."""
    lists_scopes: bool = False
    """Whether scopes travel as a list instead of separated by spaces."""
    names: tuple[tuple[str, str], ...] = ()
    """What the API calls members of request and answer otherwise: (`scope`, `scopes`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeSpec:
    """How one security scheme travels."""

    key: str
    """As operations name it in `security`."""
    kind: Literal["api_key", "bearer", "basic", "http", "other"]
    """api_key: `api_key=` goes as it is where location and parameter say. bearer: `token=` goes in
    Authorization (HTTP bearer, OAuth2, OpenID Connect). basic: `username=` and `password=` do (RFC 7617).
    http: what `credentials=` holds does, after the name of the scheme. other: satisfied outside the SDK, as a
    client certificate is."""
    location: Literal["header", "query", "cookie"] = "header"
    parameter: str = "Authorization"
    """Name of the header, query parameter or cookie."""
    scheme: str = ""
    """Of http: `Token`."""
    grants: tuple[GrantSpec, ...] = ()
    """Of bearer: how its tokens are obtained, where the API's description says so."""
    discovery_url: str = ""
    """Of bearer: where OpenID Connect tells how its tokens are obtained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSpec:
    """What the runtime has to know of the API as a whole; the generated clients hold it as `_api`."""

    client: str
    """Name of the async client class, for messages: `DhatuAPI`."""
    distribution: str
    """`dhatu-client`: begins the User-Agent."""
    version: str
    """Version of the distribution."""
    base_url: str
    """The first server of the spec; empty where it names none."""
    environment_prefix: str
    """`DHATU`, as in `DHATU_API_KEY`; empty where the environment is not read."""
    header_prefix: str = ""
    """`X-Dhatu-`; empty where attempt and time left are not sent."""
    schemes: tuple[SchemeSpec, ...] = ()
    models: str = ".generated.models"
    """Module in which the types of answers are named; a leading dot means this package."""
    bound: str = ".generated.bound"
    """Module of the models that know the client they came from: pages and jobs."""
