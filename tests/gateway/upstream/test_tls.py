"""TLS to services, with certificates made here."""

from __future__ import annotations

import dataclasses
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dhatu_gateway.core.tls.pem import InvalidTlsSettings
from dhatu_gateway.core.tls.renewal import LOOK_S
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.errors import UpstreamAborted, UpstreamUnavailable
from dhatu_gateway.core.upstream.tls import TlsSettings
from gateway.auth.support import Clock
from gateway.tls.authorities import Authority, Leaf
from gateway.upstream.scripted import (
    OK,
    RecordingSink,
    Wire,
    answering_and_closing,
    answering_forever,
    exchange,
    request_for,
    serving,
    upstream_to,
)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def server_context(identity: Path, *, ask_for_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    if ask_for_certificate:
        # With TLS 1.3 a client learns of its refusal only when it reads.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(identity)
    return context


async def test_a_trusted_service_is_used_over_one_connection(identity: Path) -> None:
    tls = TlsSettings(ca_file=identity).context("echo")
    async with serving(answering_forever(), tls=server_context(identity)) as (service, at):
        endpoint = dataclasses.replace(at, host="localhost")
        async with upstream_to(endpoint, tls=tls) as upstream:
            for _ in range(3):
                assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 1


@pytest.mark.parametrize(
    ("host", "trusted", "why"),
    [("127.0.0.1", True, "IP address mismatch"), ("localhost", False, "self-signed certificate")],
)
async def test_a_service_that_is_not_who_it_should_be_is_refused(
    identity: Path, host: str, trusted: bool, why: str
) -> None:
    tls = TlsSettings(ca_file=identity if trusted else None).context("echo")
    async with serving(answering_forever(), tls=server_context(identity)) as (_, at):
        endpoint = dataclasses.replace(at, host=host)
        async with upstream_to(endpoint, tls=tls) as upstream:
            with pytest.raises(UpstreamUnavailable, match=why):
                await exchange(upstream)


@pytest.mark.parametrize("shown", [True, False])
async def test_the_gateway_shows_its_certificate_where_it_has_one(identity: Path, shown: bool) -> None:
    settings = TlsSettings(ca_file=identity, certificate_file=identity if shown else None)
    tls = server_context(identity, ask_for_certificate=True)
    async with serving(answering_forever(), tls=tls) as (_, at):
        endpoint = dataclasses.replace(at, host="localhost")
        async with upstream_to(endpoint, tls=settings.context("echo")) as upstream:
            if shown:
                assert (await exchange(upstream)).content == b"ok"
            else:
                with pytest.raises(UpstreamUnavailable):
                    await exchange(upstream)


async def test_a_body_without_a_length_is_complete_when_tls_says_so(identity: Path) -> None:
    tls = TlsSettings(ca_file=identity).context("echo")
    script = answering_and_closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    async with serving(script, tls=server_context(identity)) as (_, at):
        endpoint = dataclasses.replace(at, host="localhost")
        async with upstream_to(endpoint, tls=tls) as upstream:
            sink = await exchange(upstream)
    assert (sink.content, sink.finished) == (b"all of it", True)


async def test_a_body_without_a_length_cut_by_somebody_on_the_wire_is_not_complete(identity: Path) -> None:
    sink = RecordingSink()

    async def cut(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\n\r\npart")
        await sink.arrived.wait()
        wire.abort()

    tls = TlsSettings(ca_file=identity).context("echo")
    async with serving(cut, tls=server_context(identity)) as (_, at):
        endpoint = dataclasses.replace(at, host="localhost")
        async with upstream_to(endpoint, tls=tls) as upstream:
            with pytest.raises(UpstreamAborted):
                await upstream.forward(request_for(), sink)
    assert (sink.content, sink.finished) == (b"part", False)


async def test_a_plain_service_behind_an_https_url_is_unavailable() -> None:
    async def plain(wire: Wire) -> None:
        await wire.send(OK)

    async with serving(plain) as (_, at), upstream_to(dataclasses.replace(at, tls=True)) as upstream:
        with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
            await exchange(upstream)


async def test_a_service_is_verified_by_the_name_that_it_should_have(tmp_path: Path) -> None:
    authority = Authority()
    ca, shown = tmp_path / "ca.pem", tmp_path / "corpus.pem"
    ca.write_bytes(authority.pem)
    shown.write_bytes(authority.issue(Leaf(sans=("DNS:corpus.internal",))))
    asked_for: list[str] = []
    server = server_context(shown)
    server.sni_callback = lambda connection, name, context: asked_for.append(name)
    for name, answered in (("corpus.internal", True), ("other.internal", False), ("", False)):
        tls = TlsSettings(ca_file=ca, server_name=name).context("echo")
        async with (
            serving(answering_forever(), tls=server) as (_, at),
            upstream_to(tls_of(at), tls=tls) as upstream,
        ):
            if answered:
                assert (await exchange(upstream)).content == b"ok"
            else:
                with pytest.raises(UpstreamUnavailable, match="certificate verify failed"):
                    await exchange(upstream)
    assert asked_for == ["corpus.internal", "other.internal", None], "an address is no name"


async def test_renewed_certificates_hold_for_new_connections_to_a_service(tmp_path: Path) -> None:
    clock, old, new = Clock(), Authority("Old"), Authority("New")
    ca, shown, own = tmp_path / "ca.pem", tmp_path / "service.pem", tmp_path / "own.pem"
    ca.write_bytes(old.pem)
    own.write_bytes(old.issue(Leaf(common_name="first")))
    tls = TlsSettings(ca_file=ca, certificate_file=own, server_name="corpus.internal").context("echo", clock)
    seen: list[str] = []

    async def note(wire: Wire) -> None:
        subject = wire.writer.get_extra_info("peercert")["subject"]
        while True:
            await wire.request()
            seen.append(dict(pair for parts in subject for pair in parts)["commonName"])
            await wire.send(OK)

    def service(authority: Authority) -> ssl.SSLContext:
        shown.write_bytes(authority.issue(Leaf(sans=("DNS:corpus.internal",))))
        context = server_context(shown)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority.pem.decode())
        return context

    async with serving(note, tls=service(old)) as (_, at), upstream_to(tls_of(at), tls=tls) as upstream:
        await exchange(upstream)
        ca.write_bytes(new.pem)
        own.write_bytes(new.issue(Leaf(common_name="second")))
        clock.now_s += LOOK_S
        await exchange(upstream)  # the connection goes on
    async with serving(note, tls=service(new)) as (_, at), upstream_to(tls_of(at), tls=tls) as upstream:
        await exchange(upstream)
        own.write_bytes(b"half")
        clock.now_s += LOOK_S
    async with serving(note, tls=service(new)) as (_, at), upstream_to(tls_of(at), tls=tls) as upstream:
        await exchange(upstream)
    async with serving(note, tls=service(old)) as (_, at), upstream_to(tls_of(at), tls=tls) as upstream:
        with pytest.raises(UpstreamUnavailable, match="certificate verify failed"):
            await exchange(upstream)
    assert seen == ["first", "first", "second", "second"]


def tls_of(endpoint: Endpoint) -> Endpoint:
    return dataclasses.replace(endpoint, tls=True)


def test_settings_that_cannot_work_are_refused_by_name(identity: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate\n")
    for settings in (
        TlsSettings(ca_file=missing),
        TlsSettings(ca_file=broken),
        TlsSettings(certificate_file=missing),
        TlsSettings(certificate_file=broken),
        TlsSettings(certificate_file=identity, key_file=missing),
        TlsSettings(key_file=missing),
    ):
        with pytest.raises(InvalidTlsSettings, match=r"missing\.pem|broken\.pem"):
            settings.context("echo")
