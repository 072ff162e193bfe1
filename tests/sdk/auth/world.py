"""An API that wants tokens, and the places where they are obtained; everything that was sent is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
from dhatu_client import APIKeyGrant, ClientCredentials, PasswordGrant, RefreshToken, Token
from dhatu_client._call import GrantSpec, SchemeSpec
from sdk.support import API, Caller, operation

TOKEN_URL = "https://auth.test/token"
DISCOVERY_URL = "https://auth.test/.well-known/openid-configuration"
LIFETIME_S = 1000.0

TOKEN_API = replace(
    API,
    schemes=(
        SchemeSpec(
            key="bearer",
            kind="bearer",
            grants=(
                GrantSpec(kind="client_credentials", url=TOKEN_URL),
                GrantSpec(
                    kind="password", url="sign-in", json=True, lists_scopes=True, names=(("scope", "scopes"),)
                ),
                GrantSpec(kind="api_key", url="sign-in", json=True),
                GrantSpec(kind="refresh_token", url="renew", json=True, says_kind=False),
            ),
        ),
        SchemeSpec(key="apiKey", kind="api_key", parameter="X-API-Key"),
    ),
)
READ = operation(security=(("bearer",),))


class TokenServer:
    """Issues numbered tokens; refresh tokens rotate, and one that comes twice ends the session."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.used: list[str] = []
        """What the API was called with."""
        self.valid: set[str] = set()
        self.lifetime_s: float | None = LIFETIME_S
        self.rotates = True
        self.refresh_tokens = {"refresh-0"}
        self.reused = False
        self.trouble: list[httpx.Response | Exception] = []
        """What the next token requests meet instead."""
        self._number = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/base/documents":
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            self.used.append(token)
            return httpx.Response(200 if token in self.valid else 401, json={})
        self.requests.append(request)
        if self.trouble:
            met = self.trouble.pop(0)
            if isinstance(met, Exception):
                raise met
            return httpx.Response(met.status_code, headers=met.headers, content=met.content)
        if str(request.url) == DISCOVERY_URL:
            methods = ["client_secret_post"]
            found = {"token_endpoint": TOKEN_URL, "token_endpoint_auth_methods_supported": methods}
            return httpx.Response(200, json=found)
        sent = self.sent(request).get("refresh_token")
        if sent is not None and sent not in self.refresh_tokens:
            self.reused = True
            return httpx.Response(400, json={"error": "invalid_grant"})
        if sent is not None and self.rotates:
            self.refresh_tokens.discard(sent)
        return httpx.Response(200, json=self.issue(sent is None or self.rotates))

    def issue(self, refresh: bool = True) -> dict[str, Any]:
        self._number += 1
        access, refresh_token = f"access-{self._number}", f"refresh-{self._number}"
        self.valid.add(access)
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        if self.lifetime_s is not None:
            answer["expires_in"] = self.lifetime_s
        if refresh:
            self.refresh_tokens.add(refresh_token)
            answer["refresh_token"] = refresh_token
        return answer

    def provide(self) -> Token:
        """For clients that bring a function."""
        self.requests.append(httpx.Request("GET", "https://provider.test"))
        if self.trouble:
            self.trouble.pop(0)
            raise RuntimeError("the provider is down")
        issued = self.issue(False)
        return Token(issued["access_token"], issued.get("expires_in"))

    async def aprovide(self) -> Token:
        return self.provide()

    @staticmethod
    def sent(request: httpx.Request) -> dict[str, Any]:
        if request.headers.get("content-type") == "application/json":
            members: dict[str, Any] = json.loads(request.content)
            return members
        return dict(parse_qsl(request.content.decode()))


Source = Callable[[TokenServer], dict[str, Any]]

SOURCES: dict[str, Source] = {
    "provider": lambda server: {"token": server.provide},
    "client credentials": lambda server: {
        "auth": ClientCredentials(client_id="reader", client_secret="s3cret")
    },
    "refresh token": lambda server: {"auth": RefreshToken(refresh_token="refresh-0")},
    "password": lambda server: {"auth": PasswordGrant(username="panini", password="s3cret")},
    "api key": lambda server: {"auth": APIKeyGrant(api_key="dhk_s3cret")},
    "by scheme": lambda server: {
        "credentials": {"bearer": ClientCredentials(client_id="reader", client_secret="s3cret")}
    },
}

Connect = Callable[..., Caller]


def read(caller: Caller) -> Any:
    return caller.call(READ)
