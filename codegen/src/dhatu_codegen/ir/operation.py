"""One thing a caller can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .name import Name
from .policy import Policy
from .schema import Json, Schema
from .security import Requirement
from .server import Server
from .source import SourceRef

PayloadKind: TypeAlias = Literal["json", "jsonl", "sse", "form", "multipart", "text", "binary"]
"""json: application/json and +json; jsonl: JSON Lines; sse: text/event-stream; text: text/* and XML;
form: application/x-www-form-urlencoded; binary: everything else, pictures included (image/svg+xml too)."""

PageStyle: TypeAlias = Literal["cursor", "page", "offset", "link"]
"""cursor: the answer holds what asks for the next page; page: by number; offset: by items to skip; link: the
answer holds the address of the next page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value in the path, the query, a header or a cookie."""

    name: Name
    location: Literal["path", "query", "header", "cookie"]
    required: bool
    schema: Schema
    style: str
    """As in OpenAPI, the default filled in: simple, label, matrix, form, spaceDelimited, pipeDelimited or
    deepObject."""
    explode: bool
    allow_reserved: bool
    content_type: str
    """Media type of a `content` parameter; empty for one with a schema."""
    description: str
    deprecated: bool
    examples: tuple[Json, ...]
    pointer: str
    """JSON Pointer of the parameter's schema in the merged document."""
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header of a response, or of a part of a request."""

    name: str
    required: bool
    schema: Schema
    explode: bool
    content_type: str
    """Media type of a header with `content`; empty for one with a schema."""
    description: str
    pointer: str
    """JSON Pointer of its schema in the merged document; empty where any value is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEncoding:
    """How one property of a form or multipart body is written."""

    property: str
    content_type: str
    style: str
    """As of a query parameter; empty where nothing says so, and the property is written by its content type
    (OpenAPI 3.1.1, Encoding Object)."""
    explode: bool
    allow_reserved: bool
    headers: tuple[Header, ...]
    """Of a multipart part, beside its content type."""
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A body in one media type."""

    media_type: str
    kind: PayloadKind
    schema: Schema | None
    """For jsonl and sse the schema of one item."""
    encoding: tuple[PartEncoding, ...]
    examples: tuple[tuple[str, Json], ...]
    """(name, value)."""
    pointer: str
    """JSON Pointer of the schema in the merged document; empty where there is none."""
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBody:
    """The body of a request, in the media types that the service takes, the preferred one first."""

    required: bool
    description: str
    payloads: tuple[Payload, ...]
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer: by status ("200"), range ("4XX") or "default"."""

    status: str
    description: str
    payloads: tuple[Payload, ...]
    headers: tuple[Header, ...]
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """How the next page is asked for, and where the answer holds the items.

    Members of the answer are named by their way from its root: `documents`, `meta.next_cursor`.
    """

    style: PageStyle
    parameter: str
    """The argument that says which page, a query parameter or a property of the body; empty for link."""
    cursor: str
    """Where the answer holds the next cursor, or the next link; empty for page and offset, and for a link in
    the header `Link` (RFC 8288)."""
    items: str
    total: str
    """Where the answer says how many items there are on all pages; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that goes on after the answer, and how to follow it.

    Members of answers are named by their way from the root: `state`, `job.state`.
    """

    status: str
    """Key of the operation that says how far the job is: `corpus.get_job`."""
    parameter: str
    """Of that operation: which job."""
    id: str
    """Where the answer that began the job holds its id."""
    state: str
    """Where the answer of `status` holds the state."""
    done: tuple[Json, ...]
    """States of a job that succeeded."""
    failed: tuple[Json, ...]
    """States of a job that did not."""
    error: str
    """Where the answer of `status` says why a job failed; empty where it does not."""
    poll_s: float
    """Seconds before the first question; later ones take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTrade:
    """The operation trades something for tokens, which SDKs then obtain and renew by themselves."""

    scheme: str
    grants: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    """(name in RFC 6749, name here) where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path."""

    key: str
    """Unique, for people: `corpus.search`; `compress` where the operation hangs on the client itself."""
    operation_id: str
    service: str
    version: str
    """The API version that the path carries: `v1`; empty where it carries none."""
    method: str
    """Upper case."""
    path: str
    resource: Name | None
    """The SDK resource; None where the operation hangs on the client itself."""
    name: Name
    """The SDK method."""
    positional: tuple[str, ...]
    """Wire names of parameters or body properties that may be passed by position, in order."""
    pagination: Pagination | None
    tokens: TokenTrade | None
    job: Job | None
    summary: str
    description: str
    tags: tuple[str, ...]
    deprecated: bool
    sunset: str
    """RFC 3339 date, or empty."""
    successor: str = ""
    """Key of what to use in its place: its like in the newest version; empty where there is none."""
    parameters: tuple[Parameter, ...]
    body: RequestBody | None
    responses: tuple[Response, ...]
    security: tuple[Requirement, ...]
    """Alternatives; empty means that anybody may call."""
    servers: tuple[Server, ...]
    """Its own, or its path's, in place of the document's; empty where the document's hold."""
    policy: Policy
    source: SourceRef

    @property
    def expected(self) -> tuple[Response, ...]:
        """The answers that a caller waits for: those of 2XX.

        `default` only where neither these nor redirects are described: beside them it stands for errors.
        """
        successes = tuple(response for response in self.responses if response.status.startswith("2"))
        if successes or any(response.status.startswith("3") for response in self.responses):
            return successes
        return tuple(response for response in self.responses if response.status == "default")
