"""Reads certificates, keys, authorities and revocations in PEM form into a context."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

ALPN = ["http/1.1"]


class InvalidTlsSettings(ValueError):
    """A certificate, key or list that cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When a certificate holds, in seconds since the epoch."""

    not_before_s: float
    not_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A context, and the certificate that it shows."""

    context: ssl.SSLContext
    validity: Validity | None
    """None where it shows none."""


def show_certificate(context: ssl.SSLContext, certificate_file: Path, key_file: Path | None) -> Validity:
    """Let a context show a certificate with its chain; raises `InvalidTlsSettings`.

    The key is in the file of the certificate where it has none of its own.
    """
    try:
        # The empty password keeps OpenSSL from asking on the terminal for an encrypted key.
        context.load_cert_chain(certificate_file, key_file, password="")
        certificate = x509.load_pem_x509_certificates(certificate_file.read_bytes())[0]
    except (OSError, ValueError) as error:
        files = f"{certificate_file} with key {key_file or certificate_file}"
        raise InvalidTlsSettings(f"{files} is not a usable certificate: {error}") from error
    return Validity(
        not_before_s=certificate.not_valid_before_utc.timestamp(),
        not_after_s=certificate.not_valid_after_utc.timestamp(),
    )


def trust(context: ssl.SSLContext, ca_file: Path) -> None:
    """Let a context believe these authorities; raises `InvalidTlsSettings`."""
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise InvalidTlsSettings(f"{ca_file} is not a readable list of authorities: {error}") from error


def refuse_revoked(context: ssl.SSLContext, crl_file: Path) -> None:
    """Let a context refuse revoked certificates, and those of authorities whose list is not here.

    Raises `InvalidTlsSettings`.
    """
    try:
        x509.load_pem_x509_crl(crl_file.read_bytes())
        context.load_verify_locations(crl_file)
    except (OSError, ValueError) as error:
        raise InvalidTlsSettings(f"{crl_file} is not a readable list of revocations: {error}") from error
    context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
