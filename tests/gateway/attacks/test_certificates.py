"""Certificates: whoever has none, a wrong one, or one that is no longer good, is nobody."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from dhatu_gateway.auth.authenticator import RECHECK_S
from dhatu_gateway.core.tls.renewal import LOOK_S
from gateway.support import head
from gateway.tls.authorities import Authority, Files, Leaf
from gateway.tls.support import INDEXER, READER, Gate, gate, known_in

GOOD = Leaf(sans=(INDEXER,))
REFUSED = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)
"""With TLS 1.3 a client learns that its certificate was refused when it reads."""


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def refused(at: Gate, pem: bytes | None) -> bool:
    try:
        status = await at.status("/open", pem)
    except REFUSED:
        return at.bench.counts.recorded == []
    return status == 0


@pytest.mark.parametrize(
    ("leaf", "of"),
    [
        pytest.param(GOOD, Authority("Clients"), id="an authority of the same name"),
        pytest.param(GOOD, Authority("Others"), id="another authority"),
        pytest.param(Leaf(sans=(INDEXER,), from_days=-2, until_days=-1), None, id="ended"),
        pytest.param(Leaf(sans=(INDEXER,), from_days=1, until_days=2), None, id="not begun"),
        pytest.param(
            Leaf(sans=(INDEXER,), usages=(ExtendedKeyUsageOID.SERVER_AUTH,)), None, id="of a server"
        ),
    ],
)
@pytest.mark.parametrize("mode", ["optional", "required"])
async def test_a_certificate_that_does_not_hold_makes_no_connection(
    files: Files, leaf: Leaf, of: Authority | None, mode: str
) -> None:
    async with gate(files, "required" if mode == "required" else "optional") as at:
        assert await at.status("/read", files.clients.issue(GOOD)) == 200
        at.bench.counts.recorded.clear()
        assert await refused(at, (of or files.clients).issue(leaf))


async def test_a_certificate_of_the_gateways_own_authority_is_no_clients(files: Files) -> None:
    async with gate(files) as at:
        assert await refused(at, files.servers.issue(GOOD))


async def test_no_certificate_where_one_is_required_makes_no_connection(files: Files) -> None:
    async with gate(files, "required") as at:
        assert await refused(at, None)


async def test_no_certificate_where_they_are_optional_is_nobody(files: Files) -> None:
    async with gate(files) as at:
        status, problem = await at.ask("/read", None)
        assert (status, problem["detail"]) == (401, "Send a client certificate with the connection.")
        assert await at.status("/open", None) == 200


@pytest.mark.parametrize(
    ("leaf", "detail"),
    [
        (
            Leaf(sans=(), common_name="reader.internal"),
            "The client certificate has no name in subjectAltName; no other counts.",
        ),
        (
            Leaf(sans=("DNS:nobody.internal",), common_name="reader.internal"),
            "The client certificate holds, but nobody is known by DNS:nobody.internal.",
        ),
        (
            Leaf(sans=(INDEXER, READER)),
            f"The client certificate stands for several callers: {READER}, {INDEXER}.",
        ),
        *(
            (Leaf(sans=(san,)), f"The client certificate holds, but nobody is known by {san}.")
            for san in (
                "URI:spiffe://example.org/indexer/x",
                "URI:spiffe://example.org/Indexer",
                "DNS:x.reader.internal",
                "DNS:*.internal",
                "email:reader@reader.internal",
                "URI:reader.internal",
                "DNS:reader.internal.example",
            )
        ),
    ],
)
async def test_a_certificate_with_other_names_stands_for_nobody(
    files: Files, leaf: Leaf, detail: str
) -> None:
    async with gate(files) as at:
        status, problem = await at.ask("/read", files.clients.issue(leaf))
    assert (status, problem["detail"]) == (401, detail)


async def test_a_certificate_that_is_told_of_in_a_field_is_nobodys(files: Files) -> None:
    pem = ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBB:"
    async with gate(files) as at:
        for name in ("Client-Cert", "X_Forwarded_Client_Cert", "X_SSL_Client_Cert", "X_Client_Cert"):
            assert await at.status("/read", None, **{name: pem}) == 401
        for name in ("SSL_Client_Verify", "SSL_Client_Subject_DN", "X_Amzn_Mtls_Clientcert_Subject"):
            assert await at.status("/read", None, **{name: "SUCCESS"}) == 401
    assert at.bench.upstream.requests == []


async def test_a_revoked_certificate_makes_no_connection(files: Files) -> None:
    good, revoked = files.clients.issue(GOOD), files.clients.issue(GOOD)
    crl = files.write("revoked.pem", files.clients.revoke(revoked))
    async with gate(files, crl=crl) as at:
        assert await at.status("/read", good) == 200
        at.bench.counts.recorded.clear()
        assert await refused(at, revoked)


async def test_an_authority_without_a_list_of_revocations_is_not_believed(files: Files) -> None:
    crl = files.write("revoked.pem", Authority("Others").revoke())
    async with gate(files, crl=crl) as at:
        assert await refused(at, files.clients.issue(GOOD))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_of_before_does_not_get_round_a_new_list_of_authorities(
    files: Files, version: ssl.TLSVersion
) -> None:
    caller = files.caller(files.clients.issue(GOOD))
    caller.minimum_version = caller.maximum_version = version

    def call(port: int, session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None]:
        with (
            socket.create_connection(("127.0.0.1", port)) as bare,
            caller.wrap_socket(bare, server_hostname="gateway.test", session=session) as wire,
        ):
            wire.sendall(head("GET", "/read", headers={"Connection": "close"}))
            return wire.recv(12), wire.session

    async with gate(files, "required") as at:
        first, session = await asyncio.to_thread(call, at.client.port, None)
        assert first == b"HTTP/1.1 200"
        files.write("clients.pem", Authority("New clients").pem)
        at.clock.ahead_s += LOOK_S
        with contextlib.suppress(*REFUSED):
            assert (await asyncio.to_thread(call, at.client.port, session))[0] == b""
    assert len(at.bench.counts.recorded) == 1


@pytest.mark.parametrize("passed_s", [0.0, 5.0, 86_400.0])
async def test_a_connection_does_not_outlive_its_certificate(files: Files, passed_s: float) -> None:
    async with gate(files) as at, at.client.connect(files.caller(files.clients.issue(GOOD))) as wire:
        await wire.write(head("GET", "/read"))
        assert (await wire.reply()).status == 200
        at.clock.ahead_s += passed_s
        await wire.write(head("GET", "/read"))
        reply = await wire.reply()
    if passed_s < 86_400:
        assert reply.status == 200
    else:
        assert (reply.status, reply.closed) == (401, True)
        assert reply.json["detail"] == "The client certificate has ended; connect again with a new one."


async def test_who_leaves_the_file_is_not_let_in_by_a_connection_that_goes_on(files: Files) -> None:
    async with gate(files) as at, at.client.connect(files.caller(files.clients.issue(GOOD))) as wire:
        await wire.write(head("GET", "/read"))
        assert (await wire.reply()).status == 200
        known_in(files.folder, [])
        at.clock.ahead_s += RECHECK_S
        await wire.write(head("GET", "/read"))
        reply = await wire.reply()
    assert (reply.status, reply.closed) == (401, True)
