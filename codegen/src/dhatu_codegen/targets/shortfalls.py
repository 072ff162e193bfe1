"""What an SDK cannot do as the document says, each at its line; in every language the same."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from ..diagnostics import Diagnostics, Related
from ..ir.api import Api
from ..ir.operation import Operation, Parameter
from ..ir.schema import Array, Boolean, Enum, Integer, Number, Object, Ref, Schema, String
from ..ir.security import ApiKeyScheme, HttpScheme, MutualTlsScheme, SecurityScheme
from ..ir.server import Server
from .bodies import RUNTIME_HEADERS
from .following import bodiless, followed, listed
from .schemas import Schemas

_STYLES: Final = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}
_CHALLENGED: Final = ("digest", "hoba", "mutual", "negotiate", "scram-sha-1", "scram-sha-256", "dpop")
"""HTTP schemes whose credentials answer what the server, or this very request, says."""
_PRIMITIVE: Final = (Boolean, Integer, Number, String, Enum)


def check_sdk(
    api: Api,
    diagnostics: Diagnostics,
    *,
    page_members: AbstractSet[str] = frozenset(),
    job_members: AbstractSet[str] = frozenset(),
) -> None:
    """Report what is lost or left to the caller; everything else in the document, the SDK honours.

    Of the members given, no page and no job may have one of its own.
    """
    for server in api.servers[:1]:
        _check_server(server, diagnostics)
    schemes = {scheme.key: scheme for scheme in api.security_schemes}
    for scheme in schemes.values():
        if isinstance(scheme, HttpScheme) and scheme.scheme in _CHALLENGED:
            message = (
                f"the HTTP scheme {scheme.scheme} of {scheme.key} answers a challenge, which the SDK does not"
            )
            hint = "callers can pass an HTTP client that does"
            diagnostics.add("DH085", message, scheme.source, hint=hint)
    components = {component.name.wire: component.schema for component in api.components}
    for operation in api.operations:
        _check_operation(operation, components, diagnostics)
        _check_security(operation, schemes, diagnostics)
    _check_going_on(api, diagnostics, page_members, job_members)


def _check_going_on(
    api: Api, diagnostics: Diagnostics, page_members: AbstractSet[str], job_members: AbstractSet[str]
) -> None:
    """DH089: a list or a job whose answer stays a plain model."""
    schemas = Schemas(api)
    operations = {operation.key: operation for operation in api.operations}
    for operation in api.operations:
        reasons: list[str | object] = []
        if operation.pagination is not None:
            reasons.append(listed(operation, schemas, page_members))
        elif operation.job is not None:
            reasons.append(followed(operation, operations.get(operation.job.status), schemas, job_members))
        for reason in reasons:
            if isinstance(reason, str):
                message = f"the SDK does not go on from the answer of {operation.key}: {reason}"
                diagnostics.add("DH089", message, operation.source)


def _check_operation(operation: Operation, components: dict[str, Schema], diagnostics: Diagnostics) -> None:
    if "#" in operation.path:
        message = f"a fragment is never sent, so that {operation.path} reaches what stands before it"
        diagnostics.add("DH087", message, operation.source)
    for server in operation.servers[:1]:
        _check_server(server, diagnostics)
    _check_answers(operation, diagnostics)
    headers: dict[str, Parameter] = {}
    for parameter in operation.parameters:
        if parameter.location == "header":
            _check_header(parameter, headers, diagnostics)
        for problem in _style_problems(parameter, components):
            diagnostics.add("DH081", f"the parameter {parameter.name.wire}: {problem}", parameter.source)
    for payload in operation.body.payloads if operation.body else ():
        for part in payload.encoding:
            names = [header.name for header in part.headers if header.name.lower() != "content-type"]
            if names and payload.kind == "multipart":
                message = f"the SDK sends no header {', '.join(names)} with the part {part.property}"
                diagnostics.add("DH083", message, part.source)


def _check_answers(operation: Operation, diagnostics: Diagnostics) -> None:
    """DH088: content that HTTP does not let through."""
    for response in operation.responses:
        success = response.status.startswith("2")
        if success and response.payloads and bodiless(operation, response):
            what = "HEAD" if operation.method == "HEAD" else response.status
            message = f"an answer to {what}" if what == "HEAD" else f"an answer of status {what}"
            diagnostics.add("DH088", f"{message} has no content; the SDK returns None", response.source)


def _check_header(parameter: Parameter, seen: dict[str, Parameter], diagnostics: Diagnostics) -> None:
    """DH080, DH082: headers that the SDK sends, or that differ in case alone (RFC 9110, section 5.1)."""
    name = parameter.name.wire
    if name.lower() in RUNTIME_HEADERS:
        message = f"the header {name} is no argument of the method: the SDK sends it"
        hint = "callers can set it among the extra headers, and a key of their own by its option"
        diagnostics.add("DH080", message, parameter.source, hint=hint)
    first = seen.setdefault(name.lower(), parameter)
    if first is not parameter:
        related = [Related(message=f"{first.name.wire} stands here", source=first.source)]
        message = f"{name} and {first.name.wire} are one header; where both are given, one is sent"
        diagnostics.add("DH082", message, parameter.source, related=related)


def _style_problems(parameter: Parameter, components: dict[str, Schema]) -> Iterator[str]:
    """DH081: what is not in the table of styles of OpenAPI's Parameter Object."""
    schema, style = _resolved(parameter.schema, components), parameter.style
    kind = "array" if isinstance(schema, Array) else "object" if isinstance(schema, Object) else ""
    if parameter.content_type:
        return
    if style not in _STYLES[parameter.location]:
        yield f"the style {style} does not exist in the {parameter.location}; it travels as if it were " + (
            "form" if parameter.location in ("query", "cookie") else "simple"
        )
    elif isinstance(schema, _PRIMITIVE) and style in ("spaceDelimited", "pipeDelimited", "deepObject"):
        yield f"the style {style} says nothing of a single value, which travels as `name=value`"
    elif kind == "array" and style == "deepObject":
        yield "the style deepObject says nothing of an array, which travels as one value, joined by commas"
    elif kind and parameter.explode and style in ("spaceDelimited", "pipeDelimited"):
        yield f"the style {style} says nothing of explode: true, with which it travels like form"
    elif kind == "object" and not parameter.explode and style == "deepObject":
        yield "the style deepObject says nothing of explode: false; it travels as with true"
    elif style != "deepObject":
        inner = _inner(schema)
        if any(isinstance(_resolved(one, components), Array | Object) for one in inner):
            yield f"the style {style} cannot carry arrays or objects inside of others; the SDK refuses them"


def _inner(schema: Schema) -> tuple[Schema, ...]:
    match schema:
        case Array(items=items, prefix=prefix):
            return (*prefix, items)
        case Object(properties=properties):
            return tuple(member.schema for member in properties)
        case _:
            return ()


def _resolved(schema: Schema, components: dict[str, Schema]) -> Schema:
    seen: set[str] = set()
    while isinstance(schema, Ref) and schema.component not in seen and schema.component in components:
        seen.add(schema.component)
        schema = components[schema.component]
    return schema


def _check_security(
    operation: Operation, schemes: dict[str, SecurityScheme], diagnostics: Diagnostics
) -> None:
    """DH084: credentials that are needed together, and would have to travel in the same place."""
    for requirement in operation.security:
        places: dict[tuple[str, str], str] = {}
        for credential in requirement.credentials:
            scheme = schemes.get(credential.scheme)
            if scheme is None or isinstance(scheme, MutualTlsScheme):
                continue
            place = ("header", "authorization")
            if isinstance(scheme, ApiKeyScheme):
                place = (scheme.location, scheme.parameter.lower())
            first = places.setdefault(place, credential.scheme)
            if first != credential.scheme:
                message = (
                    f"{operation.key} needs {first} and {credential.scheme} together, but both are {place[1]}"
                )
                diagnostics.add("DH084", message, operation.source)


def _check_server(server: Server, diagnostics: Diagnostics) -> None:
    """DH086: a server without an address of its own, or with a variable that nobody declared."""
    if "{" in server.address:
        message = f"a variable of the server {server.url} has no default"
        diagnostics.add("DH086", message, server.source, hint="callers must say where the API is")
    elif not server.address.lower().startswith(("http://", "https://")):
        message = f"the server {server.url or '/'} is relative: the SDK does not know where the document was"
        diagnostics.add("DH086", message, server.source, hint="callers must say where the API is")
