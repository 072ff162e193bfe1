"""An OpenID Connect provider on a real socket: it behaves, unless a test tells it otherwise."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from dhatu_gateway.core.exchange import Receive, Scope, Send
from gateway.support import serving

KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT_ID = "dhatu"
CLIENT_SECRET = "a secret between both"


@dataclass
class Provider:
    """Signs everybody in as `subject`, at once; the fields below are what it does wrong."""

    issuer: str = ""
    subject: str = "248289761001"
    groups: list[str] = field(default_factory=lambda: ["linguists"])
    signs_with: ec.EllipticCurvePrivateKey = KEY
    claims: dict[str, Any] = field(default_factory=dict)
    """Instead of what an ID token would say; None takes a claim away."""
    header: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    """Instead of members of the token answer; None takes one away."""
    callback: dict[str, str] = field(default_factory=dict)
    """Instead of what the browser is sent back with."""
    metadata: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    checks_pkce: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    authorization: str = ""
    """How the gateway last showed who it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
        status, content = 200, b""
        match scope["path"]:
            case "/.well-known/openid-configuration":
                content = orjson.dumps(self._metadata())
            case "/jwks":
                content = orjson.dumps({"keys": [_jwk(KEY)]})
            case "/authorize":
                status = 302
                asked = dict(parse_qsl(scope["query_string"].decode()))
                headers = [(b"location", self.authorize(asked).encode())]
            case "/token":
                form = dict(parse_qsl((await _body(receive)).decode()))
                self.authorization = dict(scope["headers"]).get(b"authorization", b"").decode()
                status, answer = self._trade(form)
                content = orjson.dumps(answer)
            case _:
                status = 404
        headers.append((b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes after somebody has signed in."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer} | self.callback
        return f"{asked['redirect_uri']}?{urlencode({name: text for name, text in back.items() if text})}"

    def _trade(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.token_requests.append(form)
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge_method"] != "S256"
            or (self.checks_pkce and asked["code_challenge"] != challenge)
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        if self.token_status != 200:
            return self.token_status, {"error": "server_error"}
        access_token = "the provider's own"
        answer = {
            "access_token": access_token,
            "token_type": "Bearer",
            "id_token": self.id_token(asked, access_token),
        } | self.answer
        return 200, {name: value for name, value in answer.items() if value is not None}

    def id_token(self, asked: dict[str, str], access_token: str) -> str:
        now_s = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": asked["client_id"],
            "nonce": asked["nonce"],
            "iat": now_s,
            "exp": now_s + 300,
            "groups": self.groups,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        } | self.claims
        written = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(written, self.signs_with, "ES256", {"kid": "one"} | self.header)


@asynccontextmanager
async def running_provider(provider: Provider | None = None) -> AsyncGenerator[Provider]:
    """Serve a provider on a port of its own."""
    made = provider or Provider()
    async with serving(made) as client:
        made.issuer = f"http://127.0.0.1:{client.port}"
        yield made


def query_of(url: str) -> dict[str, str]:
    """The query of an address, in which nothing is there twice."""
    found = parse_qs(url.partition("?")[2], keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    made: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return made | {"kid": "one", "use": "sig", "alg": "ES256"}


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
