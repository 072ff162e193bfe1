"""The calls that make up descriptors: the runtime's own types, without what these fill in themselves."""

from __future__ import annotations

from typing import Any, Final

from ...ir.api import Api
from ...ir.operation import Parameter
from ...ir.security import (
    ApiKeyScheme,
    HttpScheme,
    MutualTlsScheme,
    OAuth2Scheme,
    OpenIdScheme,
    SecurityScheme,
    TokenGrant,
)
from ...ir.server import Server
from ..bodies import Field
from ..literals import Call
from .answers import Answer
from .arguments import Argument, Body
from .view import Method

_PARAMETER: Final = {"style": "form", "explode": True, "allow_reserved": False, "content_type": ""}
_FIELD: Final = {"content_type": "", "file": False, "style": "", "explode": False, "allow_reserved": False}
_BODY: Final = {"fields": (), "argument": ""}
_RESPONSE: Final = {"media_type": "", "kind": "empty", "type": ""}
_OPERATION: Final = {
    "parameters": (),
    "bodies": (),
    "body_required": False,
    "responses": (),
    "security": (),
    "deprecated": "",
    "base_url": "",
    "page": None,
    "job": None,
}
_SCHEME: Final = {
    "location": "header",
    "parameter": "Authorization",
    "scheme": "",
    "grants": (),
    "discovery_url": "",
}
_GRANT: Final = {"json": False, "says_kind": True, "lists_scopes": False, "names": ()}


def operation_call(method: Method) -> Call:
    """`Operation(...)`."""
    operation = method.operation
    return _call(
        "Operation",
        _OPERATION,
        key=operation.key,
        method=operation.method,
        path=operation.path,
        parameters=tuple(_parameter(parameter, argument) for parameter, argument in method.parameters),
        bodies=tuple(_body(body) for body in method.bodies),
        body_required=operation.body is not None and operation.body.required,
        responses=tuple(_response(answer) for answer in method.answers),
        security=tuple(
            tuple(credential.scheme for credential in requirement.credentials)
            for requirement in operation.security
        ),
        retry=operation.policy.retry,
        timeout_s=operation.policy.timeout_s,
        deprecated=method.deprecated,
        base_url=_address(operation.servers),
        **({method.goes_on[0]: method.goes_on[1]} if method.goes_on else {}),
    )


def api_call(api: Api) -> Call:
    """`ApiSpec(...)`."""
    return _call(
        "ApiSpec",
        {"header_prefix": "", "schemes": ()},
        client=api.sdk.client,
        distribution=api.sdk.python_distribution,
        version=api.version,
        base_url=_address(api.servers),
        environment_prefix=api.sdk.environment_prefix,
        header_prefix=api.header_prefix,
        schemes=tuple(_scheme(scheme, api.grants) for scheme in api.security_schemes),
    )


def _parameter(parameter: Parameter, argument: Argument) -> Call:
    return _call(
        "ParameterSpec",
        {**_PARAMETER, "name": argument.name},
        argument=argument.name,
        name=parameter.name.wire,
        location=parameter.location,
        style=parameter.style,
        explode=parameter.explode,
        allow_reserved=parameter.allow_reserved,
        content_type=parameter.content_type,
    )


def _body(body: Body) -> Call:
    return _call(
        "BodySpec",
        _BODY,
        media_type=body.payload.media_type,
        kind=body.payload.kind,
        fields=tuple(map(_field, body.fields)),
        argument=body.whole,
    )


def _field(field: Field) -> Call:
    encoding = field.encoding
    return _call(
        "FieldSpec",
        {**_FIELD, "name": field.argument},
        argument=field.argument,
        name=field.name,
        content_type=encoding.content_type if encoding and not encoding.style else "",
        file=field.file,
        style=encoding.style if encoding else "",
        explode=encoding is not None and bool(encoding.style) and encoding.explode,
        allow_reserved=encoding is not None and encoding.allow_reserved,
    )


def _response(answer: Answer) -> Call:
    plain = bool(answer.type) and (answer.kind, answer.media_type) == ("json", "application/json")
    return _call(
        "ResponseSpec",
        {**_RESPONSE, "media_type": answer.media_type, "kind": answer.kind} if plain else _RESPONSE,
        status=answer.status,
        media_type=answer.media_type,
        kind=answer.kind,
        type=answer.type,
    )


def _scheme(scheme: SecurityScheme, grants: tuple[TokenGrant, ...]) -> Call:
    """A scheme, as far as the client can satisfy it."""
    location, parameter, name = "header", "Authorization", ""
    match scheme:
        case ApiKeyScheme():
            kind, location, parameter = "api_key", scheme.location, scheme.parameter
        case HttpScheme(scheme="bearer") | OAuth2Scheme() | OpenIdScheme():
            kind = "bearer"
        case HttpScheme(scheme="basic"):
            kind = "basic"
        case HttpScheme():
            # Case plays no part (RFC 9110, section 11.1), but most servers look for this one.
            kind, name = "http", scheme.scheme.capitalize()
        case MutualTlsScheme():
            kind = "other"
    return _call(
        "SchemeSpec",
        _SCHEME,
        key=scheme.key,
        kind=kind,
        location=location,
        parameter=parameter,
        scheme=name,
        grants=tuple(_grant(grant) for grant in grants if grant.scheme == scheme.key),
        discovery_url=scheme.discovery_url if isinstance(scheme, OpenIdScheme) else "",
    )


def _grant(grant: TokenGrant) -> Call:
    return _call(
        "GrantSpec",
        _GRANT,
        kind=grant.kind,
        url=grant.address,
        json=grant.json,
        says_kind=grant.says_kind,
        lists_scopes=grant.lists_scopes,
        names=grant.names,
    )


def _address(servers: tuple[Server, ...]) -> str:
    """The first server, without a slash at its end."""
    return servers[0].address.rstrip("/") if servers else ""


def _call(name: str, defaults: dict[str, Any], /, **fields: Any) -> Call:
    """A call without the fields that have their default anyway."""
    kept = ((key, value) for key, value in fields.items() if key not in defaults or defaults[key] != value)
    return Call(name=name, fields=tuple(kept))
