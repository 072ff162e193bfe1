"""One call as an HTTP request: where it goes, what it carries, and what answer it asks for."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .._auth.credentials import Credentials, proofs
from .._call import OMIT, STREAMED, ApiSpec, Arguments, CallOptions, Operation, ParameterSpec, ResponseSpec
from .._errors import ArgumentError
from .._media import essence
from .._wire import Request
from .body import encode_body
from .content import Body
from .parameters import Pairs, checked_header, cookie_pairs, encode, header_text, path_segment, query_pairs

_TOKEN = frozenset("!#$%&'*+-.^_`|~" + string.ascii_letters + string.digits)
"""What the name of a header is made of (RFC 9110, section 5.6.2)."""
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf requests are made."""

    api: ApiSpec
    credentials: Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a generated method was called with."""

    operation: Operation[Any, Any]
    arguments: Arguments
    options: CallOptions
    stream: bool = False


def encode_request(caller: Caller, invocation: Invocation, new_token: Callable[[], str]) -> Request:
    """The request of one call; `new_token` makes up idempotency keys and the boundaries of multipart bodies.

    Raises `ArgumentError` where the arguments cannot be sent, `TypeError` where there is no such argument.
    """
    operation, arguments, options = invocation.operation, invocation.arguments, invocation.options
    for unknown in options.keys() - CallOptions.__optional_keys__:
        raise TypeError(f"{operation.key}: unexpected keyword argument {unknown!r}")
    body = encode_body(operation, arguments, options, new_token)
    query = [
        pair for spec, value in _values(operation, arguments, "query") for pair in query_pairs(spec, value)
    ]
    query += [(encode(name), encode(value)) for name, value in options.get("extra_query", {}).items()]
    cookies = [
        pair for spec, value in _values(operation, arguments, "cookie") for pair in cookie_pairs(spec, value)
    ]
    wanted = _wanted(operation, body.media_type if body else "", invocation.stream)
    headers = {
        "accept": ", ".join(dict.fromkeys(map(_acceptable, wanted))) or "*/*",
        "user-agent": f"{caller.api.distribution}/{caller.api.version}",
    }
    if body is not None:
        headers["content-type"] = body.content_type
    if "idempotency_key" in options or operation.retry == "keyed":
        key = options.get("idempotency_key") or new_token()
        headers["idempotency-key"] = checked_header("Idempotency-Key", key)
    headers |= {
        spec.name.lower(): header_text(spec, value) for spec, value in _values(operation, arguments, "header")
    }
    for scheme, text in proofs(caller.api, caller.credentials, operation):
        if scheme.location == "header":
            headers[scheme.parameter.lower()] = text
        else:
            (query if scheme.location == "query" else cookies).append(
                (encode(scheme.parameter), encode(text))
            )
    if cookies:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    extra = _extra_headers(options)
    if body is not None and essence(extra.get("content-type", "")) == essence(body.media_type):
        del extra["content-type"]  # chose the body, which knows its own boundary
    headers |= extra
    return Request(
        method=operation.method,
        target=_target(_path(operation, arguments), query),
        headers=tuple(headers.items()),
        body=_metered(body.body, caller.api, invocation) if body else None,
        open_ended=any(spec.kind in STREAMED for spec in wanted),
    )


def _metered(body: Body, api: ApiSpec, invocation: Invocation) -> Body:
    """The body, told of as it is sent where somebody wants to know."""
    on_progress, bar = invocation.options.get("on_progress"), invocation.options.get("progress", False)
    if on_progress is None and not bar:
        return body
    from .._progress import Bar, Meter, MeteredBody

    bar_of = Bar(invocation.operation.key, api.distribution) if bar else None
    return MeteredBody(body, Meter(on_progress, bar_of))


def _extra_headers(options: CallOptions) -> dict[str, str]:
    """What the caller adds or replaces, except what says where the body ends."""
    extra = {
        name.lower(): checked_header(name, text) for name, text in options.get("extra_headers", {}).items()
    }
    for name in extra:
        if not name or not _TOKEN.issuperset(name):
            raise ArgumentError(f"extra_headers holds {name!r}, which is not the name of a header")
    for name in _FRAMING & extra.keys():
        raise ArgumentError(f"extra_headers must not hold {name}: it follows from the body")
    return extra


def _target(path: str, query: Pairs) -> str:
    if not query:
        return path
    # Some APIs tell operations apart by a query in the path itself.
    return f"{path}{'&' if '?' in path else '?'}{'&'.join(f'{name}={value}' for name, value in query)}"


@lru_cache(maxsize=1024)
def _wanted(operation: Operation[Any, Any], sent: str, stream: bool) -> list[ResponseSpec]:
    """The answers to ask for: a stream if wanted, else what is like the body sent, else JSON, else any."""
    described = [spec for spec in operation.responses if spec.media_type]
    offered = [spec for spec in described if spec.status.startswith("2")] or described
    series = [spec for spec in offered if spec.kind in ("sse", "jsonl")]
    if stream and series:
        return series[:1]
    whole = [spec for spec in offered if spec not in series] or offered
    alike = [spec for spec in whole if essence(spec.media_type) == sent]
    json = [spec for spec in whole if spec.kind == "json"]
    return alike[:1] or json[:1] or whole


def _acceptable(spec: ResponseSpec) -> str:
    return "application/json" if spec.kind == "json" and "*" in spec.media_type else spec.media_type


def _values(
    operation: Operation[Any, Any], arguments: Arguments, location: str
) -> list[tuple[ParameterSpec, object]]:
    """The parameters of one location that were given."""
    found = ((spec, arguments.get(spec.argument, OMIT)) for spec in _located(operation, location))
    return [(spec, value) for spec, value in found if value is not OMIT]


@lru_cache(maxsize=1024)
def _located(operation: Operation[Any, Any], location: str) -> tuple[ParameterSpec, ...]:
    return tuple(spec for spec in operation.parameters if spec.location == location)


def _path(operation: Operation[Any, Any], arguments: Arguments) -> str:
    path = operation.path
    for spec, value in _values(operation, arguments, "path"):
        path = path.replace("{" + spec.name + "}", path_segment(spec, value))
    if "{" in path:
        missing = path[path.index("{") + 1 : path.index("}")]
        raise ArgumentError(f"{operation.key}: the path parameter {missing} is missing")
    if any(segment in (".", "..") for segment in path.split("/")):
        # Servers resolve such segments (RFC 3986, section 5.2.4), so that another operation would be called.
        raise ArgumentError(f"{operation.key}: a path parameter must not be '.' or '..'")
    return path
