"""Security schemes, and the requirements that name them."""

from __future__ import annotations

from typing import Final, Literal, get_args

from ..document import Node
from ..ir.security import (
    ApiKeyScheme,
    Credential,
    HttpScheme,
    MutualTlsScheme,
    OAuth2Scheme,
    OAuthFlow,
    OpenIdScheme,
    Requirement,
    SecurityScheme,
)
from .context import Context

_Place = Literal["header", "query", "cookie"]
_FLOWS: Final[
    dict[
        str,
        Literal["implicit", "password", "client_credentials", "authorization_code", "device_authorization"],
    ]
] = {
    "implicit": "implicit",
    "password": "password",
    "clientCredentials": "client_credentials",
    "authorizationCode": "authorization_code",
    "x-oai-deviceAuthorization": "device_authorization",
}


def parse_security_schemes(context: Context) -> tuple[SecurityScheme, ...]:
    """Every scheme under `components`, in document order."""
    listed = context.root.at("/components/securitySchemes")
    found: list[SecurityScheme] = []
    for key, written in listed.members() if listed else ():
        scheme = _scheme(context, key, context.follow(written))
        if scheme is not None:
            found.append(scheme)
    return tuple(found)


def parse_security(operation: Node) -> tuple[Requirement, ...]:
    """The alternatives of an operation; the merge has given it those of its document."""
    listed = operation.get("security")
    return tuple(
        Requirement(
            credentials=tuple(
                Credential(scheme=scheme, scopes=alternative.texts(scheme))
                for scheme, _ in alternative.members()
            )
        )
        for alternative in (listed.elements() if listed else ())
    )


def _scheme(context: Context, key: str, node: Node) -> SecurityScheme | None:
    description = node.text("description").strip()
    match node.text("type"):
        case "apiKey":
            place: _Place = next((known for known in get_args(_Place) if known == node.text("in")), "header")
            parameter = node.text("name")
            return ApiKeyScheme(
                key=key, location=place, parameter=parameter, description=description, source=node.source
            )
        case "http":
            return HttpScheme(
                key=key,
                scheme=node.text("scheme").lower(),
                bearer_format=node.text("bearerFormat"),
                description=description,
                source=node.source,
            )
        case "oauth2":
            return OAuth2Scheme(key=key, flows=_flows(node), description=description, source=node.source)
        case "openIdConnect":
            url = node.text("openIdConnectUrl")
            return OpenIdScheme(key=key, discovery_url=url, description=description, source=node.source)
        case "mutualTLS":
            return MutualTlsScheme(key=key, description=description, source=node.source)
        case kind:
            context.diagnostics.add("DH020", f"the security scheme type {kind!r} does not exist", node.source)
            return None


def _flows(node: Node) -> tuple[OAuthFlow, ...]:
    flows = node.get("flows")
    found: list[OAuthFlow] = []
    for kind, flow in flows.members() if flows else ():
        if kind not in _FLOWS:
            continue
        scopes = flow.get("scopes")
        found.append(
            OAuthFlow(
                kind=_FLOWS[kind],
                authorization_url=flow.text("authorizationUrl", flow.text("deviceAuthorizationUrl")),
                token_url=flow.text("tokenUrl"),
                refresh_url=flow.text("refreshUrl"),
                scopes=tuple(
                    (scope, str(text.value)) for scope, text in (scopes.members() if scopes else ())
                ),
            )
        )
    return tuple(found)
