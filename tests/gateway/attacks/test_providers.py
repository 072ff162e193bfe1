"""Providers of identities as a way in: at a running gateway, with a provider that misbehaves.

The gateway must not be made to ask where it must not, or more often than it must, whatever tokens say and
whatever the provider answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.settings import read_settings
from gateway.auth.forgery import SECRET
from gateway.auth.providers.misbehaving import (
    Answer,
    Misbehaving,
    flood,
    json_response,
    misbehaving,
    response,
)
from gateway.auth.providers.support import (
    EC_KEY,
    INTROSPECTION,
    KEYS,
    METADATA,
    OTHER_KEY,
    RSA_KEY,
    Issuer,
    jwk,
    metadata,
)
from gateway.support import Client, Reply, serving

TARGET = "/api/v1/status"
TABLE = generated_table()


@asynccontextmanager
async def running(
    directory: Path, server: Misbehaving, paths: Iterable[str] = ("",), **members: object
) -> AsyncGenerator[tuple[Client, Issuer]]:
    """The whole gateway, which takes tokens of the provider; yields a client and who signs those.

    Several paths make several providers on one server.
    """
    (directory / "secret").write_text("s3cret")
    providers = [
        {
            "name": f"staff-{number}",
            "issuer": server.origin + path,
            "audiences": ["dhatu-api"],
            "allow_private": True,
        }
        | members
        for number, path in enumerate(paths)
    ]
    (directory / "providers.json").write_text(json.dumps({"providers": providers}))
    environment = {
        "GATEWAY_DATABASE": str(directory / "keys.sqlite3"),
        "JWT_SECRET_KEY": SECRET,
        "OIDC_PROVIDERS_FILE": str(directory / "providers.json"),
    }
    server.answers.setdefault(METADATA, json_response(metadata(server.origin)))
    server.answers.setdefault(KEYS, json_response({"keys": [jwk(EC_KEY, "a")]}))
    settings = read_settings(environment, TABLE.platform.services)
    async with open_edge(settings, TABLE) as edge, serving(edge) as client:
        yield client, Issuer(server.origin, time.time())


async def call(client: Client, token: bytes) -> Reply:
    return await client.request("GET", TARGET, headers={"Authorization": f"Bearer {token.decode()}"})


async def test_the_attacks_fail_for_no_other_reason(tmp_path: Path) -> None:
    async with misbehaving() as server, running(tmp_path, server) as (client, issuer):
        assert (await call(client, issuer.token(scope="system:read"))).status == 200
        lacking = await call(client, issuer.token(scope="corpus:read"))
        assert (lacking.status, 'error="insufficient_scope"' in lacking.headers["www-authenticate"]) == (
            403,
            True,
        )


async def test_forged_tokens_of_a_provider(tmp_path: Path) -> None:
    async with misbehaving() as server, running(tmp_path, server) as (client, issuer):
        good = issuer.token(scope="system:read")
        message = good.rpartition(b".")[0]
        stranger = Issuer(server.origin, issuer.now_s, key=OTHER_KEY)
        forged = [
            message + b".",
            message + b"." + b"A" * 86,
            stranger.token(scope="system:read"),
            issuer.token({"jku": f"{server.origin}/evil"}, scope="system:read"),
            issuer.token({"x5u": f"{server.origin}/evil"}, scope="system:read"),
            issuer.token({"jwk": jwk(OTHER_KEY)}, scope="system:read"),
            issuer.token({"kid": "../../evil"}, scope="system:read"),
            issuer.token(iss=f"{server.origin}/evil", scope="system:read"),
            issuer.token(iss="http://169.254.169.254", scope="system:read"),
            issuer.token(iss="dhatu-gateway", scope="system:read"),
            issuer.token(sub="a\r\nX-Dhatu-Principal: user:root", scope="system:read"),
            issuer.token(aud="another-api", scope="system:read"),
        ]
        for token in forged:
            reply = await call(client, token)
            assert reply.status == 401, token
            assert reply.headers["www-authenticate"].startswith('Bearer realm="dhatu", error="invalid_token"')
            assert token[:40] not in reply.body
        assert {request.split()[1] for request in server.requests} <= {METADATA, KEYS}
        assert (await call(client, good)).status == 200


INWARDS = [
    "http://169.254.169.254/latest/meta-data/iam",
    "https://169.254.169.254/latest/meta-data/iam",
    "https://[fd00:ec2::254]/latest",
    "https://[::ffff:169.254.169.254]/latest",
    "http://metadata.google.internal/computeMetadata/v1",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "http://127.0.0.1@169.254.169.254/",
    "http://127.0.0.1\\@169.254.169.254/",
]


async def test_keys_as_a_way_into_the_network(tmp_path: Path) -> None:
    async with misbehaving() as server:
        paths = [f"/{number}" for number in range(len(INWARDS))]
        for path, url in zip(paths, INWARDS, strict=True):
            said = metadata(server.origin + path, jwks_uri=url)
            server.answers[path + METADATA] = json_response(said)
        async with running(tmp_path, server, paths) as (client, issuer):
            for path, url in zip(paths, INWARDS, strict=True):
                reply = await call(client, issuer.token(iss=server.origin + path, scope="system:read"))
                assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json"), url
                assert b"169.254" not in reply.body
                assert b"passwd" not in reply.body
            assert (await client.request("GET", "/api/v1/health/ready")).status == 200
        assert server.requests == [f"GET {path}{METADATA}" for path in paths]


@pytest.mark.parametrize("at", [METADATA, KEYS])
async def test_a_redirect_as_a_way_into_the_network(tmp_path: Path, at: str) -> None:
    async with misbehaving() as inside, misbehaving() as server:
        inside.answers["/"] = json_response({"keys": [jwk(EC_KEY, "a")]})
        for to in ("http://169.254.169.254/", f"{inside.origin}/", "/elsewhere"):
            server.answers[at] = response(302, b"", "text/html", f"Location: {to}")
            server.answers["/elsewhere"] = json_response({"keys": [jwk(EC_KEY, "a")]})
            async with running(tmp_path, server) as (client, issuer):
                assert (await call(client, issuer.token(scope="system:read"))).status == 503
        assert inside.requests == []
        assert server.count("/elsewhere") == 0


ANSWERS: dict[str, Answer] = {
    "no JSON": response(200, b"<html>", "text/html"),
    "garbage": response(200, b"{\xff"),
    "without end": flood,
    "too deep": response(200, b'{"keys":' + b"[" * 9_000),
    "written twice": response(200, b'{"keys": [], "keys": []}'),
    "no keys": json_response({"keys": []}),
    "unsigned": json_response({"keys": [jwk(EC_KEY, "a", alg="none")]}),
    "a shared secret": json_response({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"}]}),
    "private halves": json_response({"keys": [jwk(EC_KEY, "a", d="AQAB")]}),
    "of another kind": json_response({"keys": [jwk(RSA_KEY, "a", alg="ES256")]}),
    "for encryption": json_response({"keys": [jwk(EC_KEY, "a", use="enc")]}),
    "thousands": json_response({"keys": [jwk(EC_KEY, "a")] * 1_000}),
    "nothing": response(204, b""),
}


async def test_keys_that_are_none(tmp_path: Path) -> None:
    async with misbehaving() as server:
        paths = [f"/{number}" for number in range(len(ANSWERS))]
        for path, answer in zip(paths, ANSWERS.values(), strict=True):
            said = metadata(server.origin + path, jwks_uri=server.origin + path + KEYS)
            server.answers |= {path + METADATA: json_response(said), path + KEYS: answer}
        async with running(tmp_path, server, paths) as (client, issuer):
            for path, name in zip(paths, ANSWERS, strict=True):
                token = issuer.token(iss=server.origin + path, scope="system:read")
                assert (await call(client, token)).status == 503, name
                assert (await call(client, token)).status == 503, name
                assert server.count(path + KEYS) == 1, name
            assert (await client.request("GET", "/api/v1/health/live")).status == 200


async def test_the_metadata_of_another(tmp_path: Path) -> None:
    async with misbehaving() as server:
        server.answers[METADATA] = json_response(metadata(server.origin, issuer="https://login.example.com"))
        async with running(tmp_path, server) as (client, issuer):
            assert (await call(client, issuer.token(scope="system:read"))).status == 503
            assert server.count(KEYS) == 0


async def test_a_flood_of_unknown_keys(tmp_path: Path) -> None:
    """At most one question in 30 s; how long that is, a test with a clock of its own knows."""
    async with misbehaving() as server, running(tmp_path, server) as (client, issuer):
        assert (await call(client, issuer.token(scope="system:read"))).status == 200
        async with client.connect() as wire:
            for number in range(1_000):
                token = issuer.token({"kid": f"k{number}"}, scope="system:read").decode()
                await wire.write(
                    f"GET {TARGET} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
                )
                assert (await wire.reply()).status == 401
        assert server.requests == [f"GET {METADATA}", f"GET {KEYS}"]


async def test_keys_of_the_gateway_are_shown_to_no_provider(tmp_path: Path) -> None:
    introspection = {"client_id": "gateway", "client_secret_file": "secret"}
    async with misbehaving() as server:
        server.answers[INTROSPECTION] = json_response({"active": True, "sub": "ada", "aud": "dhatu-api"})
        async with running(tmp_path, server, introspection=introspection) as (client, _):
            for token in (b"dhk_aaaaaaaaaaaa_" + b"b" * 32 + b"_cccccc", b"eyJhbGciOiJub25lIn0.e30."):
                assert (await call(client, token)).status == 401
            assert server.requests == []
            assert (await call(client, b"an-opaque-token")).status == 403  # somebody, but without the scope
            assert server.count(INTROSPECTION) == 1
