"""A provider as it should be, on the server that tests can make misbehave; tests break one thing in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from dhatu_gateway.auth.jwks import PrivateKey
from dhatu_gateway.auth.providers.config import Introspection, PrincipalClaims, Provider
from dhatu_gateway.auth.providers.external import ExternalTokens, OpenProvider, Surroundings, open_providers
from dhatu_gateway.auth.rbac import Roles
from gateway.auth.providers.misbehaving import Misbehaving, json_response, misbehaving
from gateway.auth.support import ROLES, Clock

METADATA = "/.well-known/openid-configuration"
OAUTH_METADATA = "/.well-known/oauth-authorization-server"
KEYS = "/keys"
INTROSPECTION = "/introspect"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}


def jwk(key: PrivateKey, kid: str | None = None, **members: object) -> dict[str, Any]:
    """The public half of a key as RFC 7517 writes it; a member that is None is left out."""
    name = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256"}
    algorithm = next((value for kind, value in name.items() if isinstance(key, kind)), "EdDSA")
    written: dict[str, Any] = json.loads(
        jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key())  # type: ignore[no-untyped-call, unused-ignore]
    )
    whole = written | {"kid": kid, "use": "sig", "alg": ALGORITHMS[written["kty"]]} | members
    return {member: value for member, value in whole.items() if value is not None}


@dataclass
class Issuer:
    """Signs tokens as the provider does."""

    issuer: str
    now_s: float
    key: PrivateKey = EC_KEY
    algorithm: str = "ES256"
    header: dict[str, Any] = field(default_factory=lambda: {"typ": "at+jwt", "kid": "a"})

    def claims(self, **changes: object) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "iss": self.issuer,
            "aud": "dhatu-api",
            "sub": "ada",
            "iat": int(self.now_s),
            "exp": int(self.now_s) + 600,
            "client_id": "app",
            "jti": "1",
            "scope": "corpus:read email",
        } | changes
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **changes: object) -> bytes:
        """A good token, but for what is changed in its claims or its header; None leaves a member out."""
        whole = {
            name: value for name, value in (self.header | (header or {})).items() if value or name == "typ"
        }
        return jwt.encode(self.claims(**changes), self.key, self.algorithm, headers=whole).encode()


@dataclass
class Bench:
    """One provider, what knows it, and the clock of both."""

    server: Misbehaving
    clock: Clock
    issuer: Issuer
    external: ExternalTokens

    @property
    def opened(self) -> OpenProvider:
        return self.external.providers[0]

    async def verify(self, token: bytes) -> str:
        """The caller that a token proves."""
        return (await self.opened.verify(token, now_s=self.clock.now_s)).principal.id

    def publish(self, *keys: dict[str, Any]) -> None:
        self.server.answers[KEYS] = json_response({"keys": keys})

    def describe(self, **changes: object) -> None:
        """Say where the endpoints are; a member that is None is left out."""
        self.server.answers[METADATA] = json_response(metadata(self.server.origin, **changes))

    def go_out(self) -> None:
        for path in (METADATA, KEYS, INTROSPECTION):
            self.server.answers[path] = json_response({"error": "down"}, 503)


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else go on until something holds."""
    async with asyncio.timeout(10):
        for _ in iter(condition, True):
            await asyncio.sleep(0)


def metadata(origin: str, **changes: object) -> dict[str, Any]:
    whole = {
        "issuer": origin,
        "jwks_uri": origin + KEYS,
        "authorization_endpoint": origin + "/authorize",
        "token_endpoint": origin + "/token",
        "introspection_endpoint": origin + INTROSPECTION,
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


@contextlib.asynccontextmanager
async def bench(**changes: Any) -> AsyncGenerator[Bench]:
    """A provider with one key, and the gateway's side of it, changed as the test says."""
    clock = Clock()
    async with misbehaving() as server:
        provider = replace(
            Provider(
                name="staff",
                issuer=server.origin,
                audiences=("dhatu-api",),
                allow_private=True,
                principal=PrincipalClaims(roles="realm.roles", role_map=(("Writers", "editor"),)),
                introspection=Introspection(client_id="gateway", client_secret="s3cret"),
            ),
            **changes,
        )
        external = open_providers([provider], Roles(ROLES), Surroundings(clock=clock))
        assert external is not None
        made = Bench(server, clock, Issuer(server.origin, clock.now_s), external)
        made.describe()
        made.publish(jwk(EC_KEY, "a"))
        try:
            yield made
        finally:
            await external.close()
