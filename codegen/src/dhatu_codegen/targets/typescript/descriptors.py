"""The source of descriptors: the runtime's own types and factories, without what these fill in themselves."""

from __future__ import annotations

import re
from typing import Final

from ...ir.api import Api
from ...ir.operation import Operation, Parameter
from ...ir.schema import Json
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
from .answers import Answer, is_text
from .arguments import Arguments, Body
from .components import Components
from .identifiers import member_name
from .layout import laid_out
from .shapes import shape_of
from .source import literal, quoted
from .view import Slot

SHAPES: Final = "s."
"""What generated modules call the module of shapes."""
GRANTS: Final = "grants"
"""The module of what few clients have to know of an API."""
_DEFAULT_TIMEOUT_S: Final = 60.0
_BODIES: Final = {"json": "jsonBody", "form": "formBody", "multipart": "multipartBody", "jsonl": "linesBody"}
_BODIES_OF_TEXT: Final = {"text": "textBody", "sse": "textBody", "binary": "bytesBody"}
_DEFAULTS: Final = {
    "jsonBody": "application/json",
    "formBody": "application/x-www-form-urlencoded",
    "multipartBody": "multipart/form-data",
    "linesBody": "application/jsonl",
    "textBody": "text/plain",
    "bytesBody": "application/octet-stream",
    "jsonAnswer": "application/json",
    "textAnswer": "text/plain",
    "bytesAnswer": "application/octet-stream",
    "eventsAnswer": "text/event-stream",
    "linesAnswer": "application/jsonl",
}
"""The media types that the runtime's factories take for granted."""
_ANSWERS: Final = {
    "text": "textAnswer",
    "binary": "bytesAnswer",
    "sse": "eventsAnswer",
    "jsonl": "linesAnswer",
}


class Descriptor:
    """Writes the description of one operation, and notes what it needs of the runtime."""

    def __init__(self, operation: Operation, components: Components) -> None:
        self._operation = operation
        self._components = components
        self.imports: set[str] = set()

    def source(self, arguments: Arguments, answers: tuple[Answer, ...], goes_on: str, deprecated: str) -> str:
        """`{ key: 'corpus.search', ... }`."""
        operation = self._operation
        bodies = [self._body(body) for body in arguments.bodies]
        responses = [self._answer(answer) for answer in answers]
        security: list[Json] = [
            [one.scheme for one in requirement.credentials] for requirement in operation.security
        ]
        members = {
            "key": quoted(operation.key),
            "method": quoted(operation.method),
            "path": quoted(operation.path),
            "parameters": self._parameters(arguments.parameters),
            "bodies": _listed(bodies),
            "bodyRequired": "true" if operation.body is not None and operation.body.required else "",
            "responses": _listed(responses),
            "security": literal(security) if security else "",
            "retry": quoted(operation.policy.retry) if operation.policy.retry != "never" else "",
            "timeoutMs": _milliseconds(operation.policy.timeout_s, _DEFAULT_TIMEOUT_S),
            "deprecated": quoted(deprecated) if deprecated else "",
            "baseURL": quoted(address_of(operation.servers)) if operation.servers else "",
            "goesOn": goes_on,
        }
        return _flat(members)

    def _parameters(self, parameters: tuple[tuple[Parameter, Slot], ...]) -> str:
        if not parameters:
            return ""
        return self._call("placed", [_listed([self._parameter(*pair) for pair in parameters])], "")

    def _parameter(self, parameter: Parameter, slot: Slot) -> str:
        """The name where that says it all: in braces where it is part of the path, else of the query."""
        location = parameter.location
        members = {"argument": quoted(slot.name), "in": quoted(location)}
        if parameter.name.wire != slot.name:
            members["name"] = quoted(parameter.name.wire)
        exploded = location in ("query", "cookie")
        usual = "form" if exploded else "simple"
        plain = (parameter.style, parameter.explode) == (usual, exploded)
        if not plain or parameter.allow_reserved or parameter.content_type:
            self.imports.add("styled")
            members |= {
                "style": quoted(parameter.style) if parameter.style != "form" else "",
                "explode": "" if parameter.explode else "false",
                "allowReserved": "true" if parameter.allow_reserved else "",
                "contentType": quoted(parameter.content_type) if parameter.content_type else "",
                "write": "styled",
            }
        if len(members) == 2 and location in ("path", "query"):
            return quoted(f"{{{slot.name}}}" if location == "path" else slot.name)
        return _flat(members)

    def _body(self, body: Body) -> str:
        payload = body.payload
        factory = {**_BODIES, **_BODIES_OF_TEXT}[payload.kind]
        what = _listed([_field(field) for field in body.fields]) if body.fields else quoted(body.whole)
        return self._call(factory, [what], payload.media_type)

    def _answer(self, answer: Answer) -> str:
        status = quoted(answer.status)
        if answer.kind == "empty":
            return self._call("emptyAnswer", [status], "")
        factory = _ANSWERS.get(answer.kind, "jsonAnswer")
        if answer.kind in ("text", "binary"):
            return self._call(factory, [status], answer.media_type)
        shape = "undefined"
        if answer.kind == "sse" and is_text(answer, self._components):
            self.imports.add("string")
            shape = "string"
        elif answer.schema is not None:
            found = shape_of(self._components, answer.schema, SHAPES)
            if found.text != "anything":
                shape = found.text
                self.imports |= found.factories
        return self._call(factory, [status, shape], answer.media_type)

    def _call(self, factory: str, arguments: list[str], media_type: str) -> str:
        self.imports.add(factory)
        if media_type and media_type != _DEFAULTS[factory]:
            arguments = [*arguments, quoted(media_type)]
        while arguments[-1] == "undefined":
            arguments = arguments[:-1]
        return pure(factory, arguments)


def pure(factory: str, arguments: list[str]) -> str:
    """A call that a bundler may drop."""
    return f"/*#__PURE__*/ {factory}({', '.join(arguments)})"


def declaration(name: str, kind: str, source: str) -> str:
    """`export const NAME: Operation<...> = {...};`"""
    head = f"export const {name}: {kind} = "
    return f"{head}{laid_out(source, len(head))};\n"


def api_source(api: Api) -> str:
    """The facts about the API as a whole."""
    schemes = [_scheme(scheme) for scheme in api.security_schemes]
    members = {
        "client": quoted(api.sdk.client),
        "distribution": quoted(api.sdk.javascript_package),
        "version": quoted(semver(api.version)),
        "baseURL": quoted(address_of(api.servers)),
        "environmentPrefix": quoted(api.sdk.environment_prefix),
        "headerPrefix": quoted(api.header_prefix) if api.header_prefix else "",
        "schemes": _listed(schemes),
        "grants": f"() => import('./{GRANTS}.js').then((module) => module.GRANTS)" if api.grants else "",
    }
    return _flat(members)


def grants_source(api: Api) -> str:
    """How the tokens of each scheme are obtained."""
    by_scheme: dict[str, list[str]] = {}
    for grant in api.grants:
        by_scheme.setdefault(grant.scheme, []).append(_grant(grant))
    return _flat({scheme: _listed(grants) for scheme, grants in by_scheme.items()})


def semver(version: str) -> str:
    """The API's version where npm understands it, else its numbers.

    >>> semver("2.3.0"), semver("v1"), semver("2024-01-01"), semver("1.0.0-oas3"), semver("x")
    ('2.3.0', '1.0.0', '2024.1.1', '1.0.0', '0.0.0')
    """
    numbers = [str(int(number)) for number in re.findall(r"\d+", version)[:3]]
    return ".".join([*numbers, "0", "0", "0"][:3])


def address_of(servers: tuple[Server, ...]) -> str:
    """The first server, without a slash at its end."""
    return servers[0].address.rstrip("/") if servers else ""


def _field(field: Field) -> str:
    encoding = field.encoding
    styled = encoding is not None and bool(encoding.style)
    members = {
        "argument": quoted(field.argument),
        "name": quoted(field.name) if field.name != field.argument else "",
        "contentType": quoted(encoding.content_type)
        if encoding and encoding.content_type and not styled
        else "",
        "file": "true" if field.file else "",
        "style": quoted(encoding.style) if encoding is not None and styled else "",
        "explode": "true" if encoding is not None and styled and encoding.explode else "",
        "allowReserved": "true" if encoding is not None and encoding.allow_reserved else "",
    }
    kept = {name: text for name, text in members.items() if text}
    return kept["argument"] if len(kept) == 1 else _flat(members)


def _scheme(scheme: SecurityScheme) -> str:
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
    discovery = scheme.discovery_url if isinstance(scheme, OpenIdScheme) else ""
    members = {
        "key": quoted(scheme.key),
        "kind": quoted(kind),
        "in": quoted(location) if location != "header" else "",
        "parameter": quoted(parameter) if parameter != "Authorization" else "",
        "scheme": quoted(name) if name else "",
        "discoveryURL": quoted(discovery) if discovery else "",
    }
    return _flat(members)


def _grant(grant: TokenGrant) -> str:
    names: dict[str, Json] = dict(grant.names)
    members = {
        "kind": quoted(grant.kind),
        "url": quoted(grant.address),
        "json": "true" if grant.json else "",
        "saysKind": "" if grant.says_kind else "false",
        "listsScopes": "true" if grant.lists_scopes else "",
        "names": _flat({name: literal(said) for name, said in names.items()}) if names else "",
    }
    return _flat(members)


def _milliseconds(seconds: float, usual: float) -> str:
    return "" if seconds == usual else literal(round(seconds * 1000))


def _listed(elements: list[str]) -> str:
    return f"[{', '.join(elements)}]" if elements else ""


def _flat(members: dict[str, str]) -> str:
    inner = ", ".join(f"{member_name(name)}: {text}" for name, text in members.items() if text)
    return f"{{ {inner} }}"
