"""What the route table says: the IR, narrowed to what the gateway enforces, as calls of its own types."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import cast

from ...ir.api import SYSTEM, Api, Version
from ...ir.operation import Header, Operation, Parameter, Payload
from ...ir.policy import REQUEST_PARTS, Cache, Cors, Fallback, Idempotency, Networks, RateLimit, Validate
from ...ir.security import (
    ApiKeyScheme,
    HttpScheme,
    MutualTlsScheme,
    OAuth2Scheme,
    OpenIdScheme,
    SecurityScheme,
)
from ..literals import Call, Literal


def platform(api: Api) -> Call:
    """`PLATFORM`: everything that is not about one route."""
    return _call(
        "Platform",
        title=api.title,
        version=api.version,
        header_prefix=api.header_prefix,
        services=tuple(
            _call(
                "Service",
                name=item.name,
                url_variable=item.upstream_env,
                default_url=item.upstream_default,
                upstream=mirrored(item.upstream),
            )
            for item in api.services
        ),
        versions=tuple(_version(version) for version in api.versions),
        security_schemes=tuple(_scheme(scheme) for scheme in api.security_schemes),
        scopes=tuple(sorted(_scopes(api).items())),
        roles=tuple(
            _call("Role", name=role.name, holds=role.holds, scopes=role.scopes) for role in api.roles
        ),
        cors=_cors(api.cors),
        security_headers=api.security_headers,
    )


def routes(api: Api) -> tuple[Call, ...]:
    """`ROUTES`, sorted by path and method: the router finds the most specific one whatever the order."""
    return tuple(route(operation, api) for operation in in_order(api))


def in_order(api: Api) -> list[Operation]:
    """Every operation, by path and method."""
    return sorted(api.operations, key=lambda operation: (operation.path, operation.method))


def _version(version: Version) -> Call:
    return _call(
        "Version",
        name=version.name,
        state=version.state,
        deprecated_at=version.deprecated_at,
        sunset=version.sunset,
        link=version.link,
    )


def route(operation: Operation, api: Api) -> Call:
    """One operation, as the gateway enforces it."""
    policy = operation.policy
    return _call(
        "Route",
        operation=operation.key,
        service=operation.service,
        version=operation.version,
        method=operation.method,
        path=operation.path,
        parameters=tuple(_parameter(parameter) for parameter in _enforced(operation)),
        body=_body(operation),
        answers=_answers(operation, api),
        security=tuple(
            tuple(
                _call("Credential", scheme=item.scheme, scopes=item.scopes)
                for item in requirement.credentials
            )
            for requirement in operation.security
        ),
        roles=policy.roles,
        timeout_s=policy.timeout_s,
        max_body_bytes=policy.max_body_bytes,
        retry=policy.retry,
        tries=mirrored(policy.tries),
        hedge=mirrored(policy.hedge),
        breaker=mirrored(policy.breaker),
        rate_limits=tuple(_rate_limit(limit) for limit in policy.rate_limit),
        validate=_validate(policy.validate),
        deprecated=operation.deprecated,
        sunset=operation.sunset,
        cors=_cors(policy.cors) if policy.cors != api.cors else None,
        networks=_networks(policy.networks),
        websocket=_call("WebSocket", idle_s=policy.websocket.idle_s) if policy.websocket else None,
        idempotency=_idempotency(policy.idempotency),
        cache=_cache(policy.cache),
        fallback=_fallback(policy.fallback),
        priority=policy.priority,
    )


def _enforced(operation: Operation) -> tuple[Parameter, ...]:
    """Without the header parameters that OpenAPI says to ignore (3.1.1, Parameter Object)."""
    ignored = ("accept", "content-type", "authorization")
    return tuple(
        parameter
        for parameter in operation.parameters
        if parameter.location != "header" or parameter.name.wire.lower() not in ignored
    )


def _parameter(parameter: Parameter) -> Call:
    return _call(
        "Parameter",
        name=parameter.name.wire,
        location=parameter.location,
        required=parameter.required,
        style=parameter.style,
        explode=parameter.explode,
        content_type=parameter.content_type,
        schema=parameter.pointer,
    )


def _body(operation: Operation) -> Call | None:
    if operation.body is None:
        return None
    media_types = tuple(_media_type(payload) for payload in operation.body.payloads)
    return _call("Body", required=operation.body.required, media_types=media_types)


def _answers(operation: Operation, api: Api) -> tuple[Call, ...]:
    """Empty for the gateway's own operations, whose answers are made of the generated models."""
    own = {name.lower() for name, _ in api.security_headers}  # the gateway says them, whatever a service says
    validate = operation.policy.validate
    if operation.service == SYSTEM or (validate.response == "off" and validate.undeclared == "keep"):
        return ()
    return tuple(
        _call(
            "Answer",
            status=response.status,
            media_types=tuple(map(_media_type, response.payloads)),
            headers=tuple(_header(header) for header in response.headers if header.name.lower() not in own),
        )
        for response in operation.responses
    )


def _header(header: Header) -> Call:
    return _call(
        "Parameter",
        name=header.name,
        location="header",
        required=header.required,
        style="simple",
        explode=header.explode,
        content_type=header.content_type,
        schema=header.pointer,
    )


def _media_type(payload: Payload) -> Call:
    return _call(
        "MediaType",
        media_type=payload.media_type.partition(";")[0].strip().lower(),
        schema=payload.pointer,
        kind=_kind(payload),
        parts=tuple(
            _call(
                "Part",
                name=part.property,
                content_type=part.content_type,
                style=part.style,
                explode=part.explode,
            )
            for part in payload.encoding
        ),
    )


def _kind(payload: Payload) -> str:
    """What the gateway does with a body: without a schema there is nothing to hold it against."""
    if payload.media_type.partition(";")[0].strip().lower() == "multipart/form-data" and payload.pointer:
        return "multipart"
    return payload.kind if payload.pointer and payload.kind in ("json", "form") else "stream"


def _networks(networks: Networks | None) -> Call | None:
    return _call("Networks", allow=networks.allow, deny=networks.deny) if networks else None


def _idempotency(idempotency: Idempotency | None) -> Call | None:
    if idempotency is None:
        return None
    return _call("Idempotency", keep_s=idempotency.keep_s, required=idempotency.required)


def _cache(cache: Cache | None) -> Call | None:
    if cache is None:
        return None
    return _call(
        "Cache",
        ttl_s=cache.ttl_s,
        stale_if_error_s=cache.stale_if_error_s,
        vary=cache.vary,
        shared=cache.shared,
    )


def _fallback(fallback: Fallback | None) -> Call | None:
    if fallback is None:
        return None
    return _call("Fallback", status=fallback.status, body=json.dumps(fallback.body, ensure_ascii=False))


def _cors(cors: Cors) -> Call:
    return _call(
        "Cors",
        allow_origins=cors.allow_origins,
        allow_headers=cors.allow_headers,
        expose_headers=cors.expose_headers,
        allow_credentials=cors.allow_credentials,
        max_age_s=cors.max_age_s,
    )


def _rate_limit(limit: RateLimit) -> Call:
    return _call(
        "RateLimit",
        name=limit.name,
        algorithm=limit.algorithm,
        limit=limit.limit,
        window_s=limit.window_s,
        per=limit.per,
        burst=limit.burst,
        cost=limit.cost,
        lease=limit.lease,
        by=limit.by,
        header=limit.header,
        across=limit.across,
        roles=limit.roles,
        except_roles=limit.except_roles,
        shadow=limit.shadow,
        charge_refused=limit.charge_refused,
        on_store_failure=limit.on_store_failure,
    )


def _validate(validate: Validate) -> Call:
    parts = {part: getattr(validate, part) for part in REQUEST_PARTS}
    return _call("Validate", **parts, response=validate.response, undeclared=validate.undeclared)


def _scheme(scheme: SecurityScheme) -> Call:
    location, parameter = "header", "Authorization"
    match scheme:
        case ApiKeyScheme():
            kind, location, parameter = "api_key", scheme.location, scheme.parameter
        case HttpScheme():
            kind = "basic" if scheme.scheme == "basic" else "bearer"
        case OAuth2Scheme():
            kind = "oauth2"
        case OpenIdScheme():
            kind = "open_id"
        case MutualTlsScheme():
            kind, parameter = "mutual_tls", ""
    return _call("SecurityScheme", key=scheme.key, kind=kind, location=location, parameter=parameter)


def _scopes(api: Api) -> dict[str, str]:
    """Each scope that an operation asks for; its text from an OAuth2 flow, else the operations it opens."""
    described = {
        scope: text
        for scheme in api.security_schemes
        if isinstance(scheme, OAuth2Scheme)
        for flow in scheme.flows
        for scope, text in flow.scopes
    }
    opens: dict[str, dict[str, None]] = {}
    for operation in api.operations:
        for requirement in operation.security:
            for credential in requirement.credentials:
                for scope in credential.scopes:
                    opens.setdefault(scope, {})[operation.key] = None
    return {scope: described.get(scope) or ", ".join(keys) for scope, keys in opens.items()}


def mirrored(value: object) -> Literal:
    """A node of the IR whose class the gateway has too, under the same name and with the same fields."""
    if is_dataclass(value) and not isinstance(value, type):
        found = tuple((field.name, mirrored(getattr(value, field.name))) for field in fields(value))
        return Call(name=type(value).__name__, fields=found)
    if isinstance(value, tuple):
        return tuple(mirrored(element) for element in cast("tuple[object, ...]", value))
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(f"{value!r} cannot be written into the table of routes")


def _call(constructor: str, /, **arguments: Literal) -> Call:
    return Call(name=constructor, fields=tuple(arguments.items()))
