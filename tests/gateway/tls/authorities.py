"""Authorities that sign whatever a test asks for, also what a proper one would not."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from dhatu_gateway.core.server.tls import ClientCertificates, ServerTls

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What a certificate says."""

    sans: tuple[str, ...] = ()
    """`DNS:`, `URI:` or `email:` and a name."""
    common_name: str = "somebody"
    from_days: float = -1
    """From now."""
    until_days: float = 1
    usages: tuple[x509.ObjectIdentifier, ...] = (
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SERVER_AUTH,
    )


@dataclass
class Authority:
    """Signs certificates and lists of those that it takes back."""

    name: str = "Test authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        builder = self._builder(Leaf(common_name=self.name), self.key)
        ca = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = builder.add_extension(ca, critical=True).sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, leaf: Leaf) -> bytes:
        """A certificate with its key, in one PEM text."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(leaf, key)
        return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def revoke(self, *pems: bytes) -> bytes:
        """The list of revoked certificates."""
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now - _DAY).next_update(now + _DAY)
        for pem in pems:
            serial = x509.load_pem_x509_certificate(pem).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - _DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _sign(self, leaf: Leaf, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        usage = x509.ExtendedKeyUsage(leaf.usages)
        builder = self._builder(leaf, key).add_extension(usage, critical=False)
        if leaf.sans:
            names = x509.SubjectAlternativeName([_general_name(san) for san in leaf.sans])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def _builder(self, leaf: Leaf, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(leaf.common_name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + leaf.from_days * _DAY)
            .not_valid_after(now + leaf.until_days * _DAY)
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(san: str) -> x509.GeneralName:
    kind, _, value = san.partition(":")
    kinds: dict[str, Callable[[str], x509.GeneralName]] = {
        "DNS": x509.DNSName,
        "URI": x509.UniformResourceIdentifier,
        "email": x509.RFC822Name,
    }
    return kinds[kind](value)


class Files:
    """The files of a gateway that meets clients with TLS, in one folder, written as a renewal would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = Authority("Servers")
        self.clients = Authority("Clients")
        self.certificate = self.write("gateway.pem", self.servers.issue(Leaf(sans=("DNS:gateway.test",))))
        self.client_ca = self.write("clients.pem", self.clients.pem)

    def write(self, name: str, content: bytes) -> Path:
        """Put a file in its place at once."""
        path, new = self.folder / name, self.folder / f".{name}"
        new.write_bytes(content)
        os.replace(new, path)
        return path

    def tls(self, mode: ClientCertificates = "optional", crl: Path | None = None) -> ServerTls:
        return ServerTls(
            certificate_file=self.certificate,
            client_certificates=mode,
            client_ca_file=self.client_ca,
            client_crl_file=crl,
        )

    def caller(self, pem: bytes | None = None, *trusted: Authority) -> ssl.SSLContext:
        """A client with or without a certificate, that believes the gateway's authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        pems = (authority.pem for authority in trusted or (self.servers,))
        context.load_verify_locations(cadata=b"".join(pems).decode("ascii"))
        if pem is not None:
            context.load_cert_chain(self.write("caller.pem", pem))
        return context
