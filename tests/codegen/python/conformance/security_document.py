"""Every security scheme, alone, as an alternative, and together; servers of single operations."""

from __future__ import annotations

from typing import Any, Final

Json = Any

_FLOWS: Final[Json] = {
    "clientCredentials": {"tokenUrl": "https://wire.test/token", "scopes": {"read": "Read."}}
}
SCHEMES: Final[Json] = {
    "headerKey": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "queryKey": {"type": "apiKey", "in": "query", "name": "api key"},
    "cookieKey": {"type": "apiKey", "in": "cookie", "name": "session"},
    "appKey": {"type": "apiKey", "in": "header", "name": "X-App"},
    "bearerAuth": {"type": "http", "scheme": "Bearer"},
    "basicAuth": {"type": "http", "scheme": "basic"},
    "tokenAuth": {"type": "http", "scheme": "Token"},
    "oauth": {"type": "oauth2", "flows": _FLOWS},
    "oidc": {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://wire.test/.well-known/openid-configuration",
    },
    "mtls": {"type": "mutualTLS"},
}
REQUIREMENTS: Final[dict[str, Json]] = {
    "nobody": [],
    "header_key": [{"headerKey": []}],
    "query_key": [{"queryKey": []}],
    "cookie_key": [{"cookieKey": []}],
    "bearer": [{"bearerAuth": []}],
    "basic": [{"basicAuth": []}],
    "token": [{"tokenAuth": []}],
    "oauth": [{"oauth": ["read"]}],
    "oidc": [{"oidc": []}],
    "mtls": [{"mtls": []}],
    "either": [{"basicAuth": []}, {"bearerAuth": []}, {"headerKey": []}],
    "optional": [{}, {"headerKey": []}],
    "together": [{"headerKey": [], "appKey": []}],
    "key_and_bearer": [{"headerKey": [], "bearerAuth": []}],
    "certificate_and_key": [{"mtls": [], "queryKey": []}],
}


def paths(operation: Any) -> dict[str, Json]:
    found: dict[str, Json] = {
        f"/security/{name}": {"get": operation(name, "security", security=security)}
        for name, security in REQUIREMENTS.items()
    }
    elsewhere = [{"url": "https://{place}.wire.test/up", "variables": {"place": {"default": "files"}}}]
    found["/servers/root"] = {"get": operation("root", "servers")}
    found["/servers/path"] = {"servers": elsewhere, "get": operation("path_level", "servers")}
    found["/servers/operation"] = {
        "servers": elsewhere,
        "get": operation("operation_level", "servers", servers=[{"url": "/relative/"}]),
    }
    return found
