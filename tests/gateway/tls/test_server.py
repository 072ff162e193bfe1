"""The gateway before clients that speak TLS, and certificates that are renewed meanwhile."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

import pytest
from dhatu_gateway.core.tls.pem import InvalidTlsSettings
from dhatu_gateway.core.tls.renewal import LOOK_S
from gateway.support import compose, head, make_route, serving
from gateway.tls.authorities import Authority, Files, Leaf
from gateway.tls.support import INDEXER, Gate, gate

SERVER = Leaf(sans=("DNS:gateway.test",))
GOOD = Leaf(sans=(INDEXER,))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def test_tls_1_2_and_newer_with_http_1_1_and_nothing_weak(files: Files) -> None:
    async with serving(compose(make_route()).edge, tls=files.tls("none").context()) as client:
        for version, cipher in ((ssl.TLSVersion.TLSv1_2, "ECDHE-"), (ssl.TLSVersion.TLSv1_3, "TLS_")):
            caller = files.caller()
            caller.minimum_version = caller.maximum_version = version
            caller.set_alpn_protocols(["h2", "http/1.1"])
            async with client.connect(caller) as wire:
                await wire.write(head("GET", "/api/v1/things"))
                reply = await wire.reply()
                tls: ssl.SSLObject = wire.writer.get_extra_info("ssl_object")
                assert reply.status == 200
                assert tls.selected_alpn_protocol() == "http/1.1"
                assert (used := tls.cipher()) is not None
                assert used[0].startswith(cipher)
            assert dict(reply.json["headers"])["x-forwarded-proto"] == "https"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize("old", ["version", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-SHA"])
async def test_what_is_too_old_makes_no_connection(files: Files, old: str) -> None:
    caller = files.caller()
    if old == "version":
        caller.set_ciphers("ALL:@SECLEVEL=0")
        caller.minimum_version = caller.maximum_version = ssl.TLSVersion.TLSv1_1
    else:
        caller.set_ciphers(old)
        caller.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(compose(make_route()).edge, tls=files.tls("none").context()) as client:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with client.connect(caller):
                pass


async def test_plain_http_at_a_port_with_tls_is_closed(files: Files) -> None:
    context = files.tls("none").context()
    async with serving(compose(make_route()).edge, tls=context) as client, client.connect() as wire:
        await wire.write(head("GET", "/api/v1/things"))
        assert b"HTTP" not in await wire.closed()


async def test_a_new_certificate_holds_for_new_connections_and_old_ones_go_on(files: Files) -> None:
    new = Authority("New servers")
    async with gate(files) as at:
        answers: list[int] = []
        renewed = asyncio.Event()

        async def goes_on() -> None:
            async with at.client.connect(files.caller()) as wire:
                for number in range(60):
                    await wire.write(head("GET", "/open"))
                    answers.append((await wire.reply()).status)
                    if number == 20:
                        await renewed.wait()

        load = [asyncio.create_task(goes_on()) for _ in range(4)]
        assert await at.status("/open", None) == 200
        files.write("gateway.pem", new.issue(SERVER))
        at.clock.ahead_s += LOOK_S
        renewed.set()
        with pytest.raises(ssl.SSLCertVerificationError):
            async with at.client.connect(files.caller()):
                pass
        async with at.client.connect(files.caller(None, new)) as wire:
            await wire.write(head("GET", "/open"))
            assert (await wire.reply()).status == 200
        await asyncio.gather(*load)
    assert answers == [200] * 240


@pytest.mark.parametrize("how", ["half", "another key", "gone", "empty"])
async def test_a_renewal_that_cannot_be_used_leaves_the_old_certificate(
    files: Files, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gate(files) as at:
        whole = Authority("Servers").issue(SERVER)
        cut = whole.index(b"-----BEGIN PRIVATE KEY")
        other = files.servers.issue(SERVER)
        broken = {
            "half": whole[:cut],
            "another key": whole[:cut] + other[other.index(b"-----BEGIN PRIVATE KEY") :],
            "empty": b"",
        }
        if how == "gone":
            files.certificate.unlink()
        else:
            files.certificate.write_bytes(broken[how])
        for _ in range(3):
            at.clock.ahead_s += LOOK_S
            assert await at.status("/open", None) == 200
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "gateway.pem" in errors[0]


async def knows(at: Gate, pem: bytes) -> bool:
    try:
        return await at.status("/read", pem) == 200
    except (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError):
        return False


async def test_authorities_of_clients_are_renewed(files: Files) -> None:
    old, new = files.clients, Authority("New clients")
    async with gate(files) as at:
        assert [await knows(at, of.issue(GOOD)) for of in (old, new)] == [True, False]
        files.write("clients.pem", old.pem + new.pem)
        at.clock.ahead_s += LOOK_S
        assert [await knows(at, of.issue(GOOD)) for of in (old, new)] == [True, True]
        files.write("clients.pem", new.pem)
        at.clock.ahead_s += LOOK_S
        assert [await knows(at, of.issue(GOOD)) for of in (old, new)] == [False, True]


async def test_a_new_list_of_revocations_is_taken_up(files: Files) -> None:
    pem = files.clients.issue(GOOD)
    crl = files.write("revoked.pem", files.clients.revoke())
    async with gate(files, crl=crl) as at:
        assert await knows(at, pem)
        files.write("revoked.pem", files.clients.revoke(pem))
        at.clock.ahead_s += LOOK_S
        assert not await knows(at, pem)


@pytest.mark.parametrize(("until_days", "says"), [(0.1, "ends at"), (-0.1, "ended at"), (0.2, None)])
def test_a_certificate_that_ends_soon_is_warned_of_once(
    files: Files, until_days: float, says: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    leaf = Leaf(sans=SERVER.sans, until_days=until_days)
    files.write("gateway.pem", files.servers.issue(leaf))
    context = files.tls().context()
    validity = context.validity()
    assert validity is not None
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == (says is not None)
    assert all(says is not None and says in message for message in warned)


def test_files_that_cannot_be_used_are_refused_by_name(files: Files) -> None:
    files.write("clients.pem", b"nothing")
    with pytest.raises(InvalidTlsSettings, match=r"clients\.pem is not a readable list of authorities"):
        files.tls().load()
    files.write("clients.pem", files.clients.pem)
    with pytest.raises(InvalidTlsSettings, match=r"clients\.pem is not a readable list of revocations"):
        files.tls(crl=files.client_ca).load()
    files.write("gateway.pem", files.clients.pem)
    with pytest.raises(InvalidTlsSettings, match=r"gateway\.pem with key .* is not a usable certificate"):
        files.tls().load()
