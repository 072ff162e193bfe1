"""How the tokens of a scheme are obtained: by the flows of OAuth2, and by operations that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..diagnostics import Diagnostics
from ..ir.operation import Operation, Payload, TokenTrade
from ..ir.schema import Array, Component, Intersection, Object, Ref, Schema, Union
from ..ir.security import HttpScheme, OAuth2Scheme, OpenIdScheme, SecurityScheme, TokenGrant

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "password": ("username", "password"),
    "api_key": ("api_key",),
    "refresh_token": ("refresh_token",),
    "client_credentials": (),
}
"""What is traded, by the names of RFC 6749."""
_RENEWABLE: Final = ("password", "authorization_code", "device_authorization")


def parse_grants(
    schemes: tuple[SecurityScheme, ...],
    operations: tuple[Operation, ...],
    components: tuple[Component, ...],
    diagnostics: Diagnostics,
) -> tuple[TokenGrant, ...]:
    """Every way to obtain tokens, those of operations first; DH045 where an operation cannot be one."""
    schemas = {component.name.wire: component.schema for component in components}
    bearers = {scheme.key for scheme in schemes if _is_bearer(scheme)}
    found: list[TokenGrant] = []
    for operation in operations:
        trade = operation.tokens
        if trade is None:
            continue
        if trade.scheme not in bearers:
            _refuse(diagnostics, operation, f"{trade.scheme!r}, which is no scheme of bearer tokens")
            continue
        found += _of_operation(operation, trade, schemas, diagnostics)
    for scheme in schemes:
        if isinstance(scheme, OAuth2Scheme):
            found += _of_flows(scheme)
    return tuple(found)


def _is_bearer(scheme: SecurityScheme) -> bool:
    return isinstance(scheme, OAuth2Scheme | OpenIdScheme) or (
        isinstance(scheme, HttpScheme) and scheme.scheme == "bearer"
    )


def _of_flows(scheme: OAuth2Scheme) -> Iterator[TokenGrant]:
    for kind in ("client_credentials", "password"):
        for flow in scheme.flows:
            if flow.kind == kind and flow.token_url:
                yield TokenGrant(scheme=scheme.key, kind=kind, address=flow.token_url)
    for flow in scheme.flows:
        if flow.kind in _RENEWABLE and (flow.refresh_url or flow.token_url):
            yield TokenGrant(
                scheme=scheme.key, kind="refresh_token", address=flow.refresh_url or flow.token_url
            )
            return  # a session is renewed in one place


def _of_operation(
    operation: Operation, trade: TokenTrade, schemas: Mapping[str, Schema], diagnostics: Diagnostics
) -> Iterator[TokenGrant]:
    payloads = operation.body.payloads if operation.body else ()
    payload = next((payload for payload in payloads if payload.kind in ("json", "form")), None)
    if payload is None or operation.method != "POST":
        _refuse(diagnostics, operation, "an operation that posts neither JSON nor a form")
        return
    answered = [
        answer.schema
        for response in operation.responses
        if response.status.startswith("2")
        for answer in response.payloads
    ]
    names = dict(trade.names)
    token = names.get("access_token", "access_token")
    if not any(_property(schema, token, schemas) for schema in answered):
        _refuse(diagnostics, operation, f"{token!r}, which its answer does not have")
        return
    for kind in trade.grants:
        wanted = [names.get(name, name) for name in _FIELDS.get(kind, ())]
        missing = next((name for name in wanted if not _property(payload.schema, name, schemas)), None)
        if missing is not None or kind not in _FIELDS:
            _refuse(diagnostics, operation, f"{missing or kind!r}, which its body does not have")
            continue
        yield _grant(operation, trade, kind, _Body(payload, schemas))


class _Body:
    """A body, asked for its properties."""

    def __init__(self, payload: Payload, schemas: Mapping[str, Schema]) -> None:
        self.json = payload.kind == "json"
        self._schema = payload.schema
        self._schemas = schemas

    def has(self, name: str) -> bool:
        return _property(self._schema, name, self._schemas) is not None

    def lists(self, name: str) -> bool:
        return isinstance(_resolved(_property(self._schema, name, self._schemas), self._schemas), Array)


def _grant(operation: Operation, trade: TokenTrade, kind: str, body: _Body) -> TokenGrant:
    names = dict(trade.names)
    server = f"{operation.servers[0].address.rstrip('/')}/" if operation.servers else ""
    return TokenGrant(
        scheme=trade.scheme,
        kind=kind,
        address=server + operation.path.lstrip("/"),
        json=body.json,
        says_kind=body.has(names.get("grant_type", "grant_type")),
        lists_scopes=body.lists(names.get("scope", "scope")),
        names=trade.names,
    )


def _property(
    schema: Schema | None, name: str, schemas: Mapping[str, Schema], depth: int = 8
) -> Schema | None:
    """What a value of this schema may have by this name; `depth` bounds the recursion."""
    match schema:
        case Object():
            return next((item.schema for item in schema.properties if item.name.wire == name), None)
        case Ref() if depth:
            return _property(schemas.get(schema.component), name, schemas, depth - 1)
        case Union() | Intersection() if depth:
            parts = schema.variants if isinstance(schema, Union) else schema.parts
            within = (_property(part, name, schemas, depth - 1) for part in parts)
            return next((found for found in within if found is not None), None)
        case _:
            return None


def _resolved(schema: Schema | None, schemas: Mapping[str, Schema], depth: int = 8) -> Schema | None:
    while isinstance(schema, Ref) and depth:
        schema, depth = schemas.get(schema.component), depth - 1
    return schema


def _refuse(diagnostics: Diagnostics, operation: Operation, what: str) -> None:
    message = f"x-dhatu.sdk of {operation.key}: tokens names {what}"
    diagnostics.add("DH045", message, operation.source)
