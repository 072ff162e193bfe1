"""Certificates: the gateway's own, those of its clients, and those between it and its services."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dhatu_gateway.core.discovery.origin import Origin
from dhatu_gateway.core.server.tls import ClientCertificates, ServerTls
from dhatu_gateway.core.tls.pem import InvalidTlsSettings
from dhatu_gateway.core.types import Service
from dhatu_gateway.core.upstream.tls import TlsSettings
from dhatu_gateway.settings.reader import Reader

_MODES: tuple[ClientCertificates, ...] = ("none", "optional", "required")


def read_server_tls(reader: Reader) -> ServerTls | None:
    """How clients are met; None where they come without TLS."""
    certificate = reader.value("GATEWAY_TLS_CERTIFICATE_FILE", "", _file)
    key = reader.value("GATEWAY_TLS_KEY_FILE", "", _file)
    ca = reader.value("GATEWAY_CLIENT_CA_FILE", "", _file)
    crl = reader.value("GATEWAY_CLIENT_CRL_FILE", "", _file)
    mode = reader.value("GATEWAY_CLIENT_CERTIFICATES", "none", _mode)
    _check_together(reader, "GATEWAY_TLS_KEY_FILE", "GATEWAY_TLS_CERTIFICATE_FILE")
    _check_together(reader, "GATEWAY_CLIENT_CA_FILE", "GATEWAY_TLS_CERTIFICATE_FILE")
    _check_together(reader, "GATEWAY_CLIENT_CRL_FILE", "GATEWAY_CLIENT_CA_FILE")
    if mode != "none":
        _check_together(reader, "GATEWAY_CLIENT_CERTIFICATES", "GATEWAY_CLIENT_CA_FILE")
    elif ca is not None:
        reader.problems.append(
            "GATEWAY_CLIENT_CERTIFICATES: must be optional or required where GATEWAY_CLIENT_CA_FILE is set"
        )
    if certificate is None:
        return None
    tls = ServerTls(
        certificate_file=certificate,
        key_file=key,
        client_certificates=mode,
        client_ca_file=ca,
        client_crl_file=crl,
    )
    _check(reader, "GATEWAY_TLS_CERTIFICATE_FILE, GATEWAY_CLIENT_CA_FILE", tls)
    return tls


def read_client_certificates_file(reader: Reader) -> Path | None:
    """Where it says whom the certificates of clients stand for."""
    _check_together(reader, "CLIENT_CERTIFICATES_FILE", "GATEWAY_CLIENT_CA_FILE")
    return reader.value("CLIENT_CERTIFICATES_FILE", "", _file)


def read_service_tls(
    reader: Reader, services: tuple[Service, ...], origins: Mapping[str, Origin]
) -> Mapping[str, TlsSettings]:
    """How each service is met; those of which nothing is said are left out."""
    found: dict[str, TlsSettings] = {}
    for service in services:
        if not service.url_variable:
            continue
        stem = service.url_variable.removesuffix("_URL")
        tls = TlsSettings(
            ca_file=reader.value(f"{stem}_CA_FILE", "", _file),
            certificate_file=reader.value(f"{stem}_CERTIFICATE_FILE", "", _file),
            key_file=reader.value(f"{stem}_KEY_FILE", "", _file),
            server_name=reader.value(f"{stem}_SERVER_NAME", "", _server_name),
        )
        if tls == TlsSettings():
            continue
        found[service.name] = tls
        _check_together(reader, f"{stem}_KEY_FILE", f"{stem}_CERTIFICATE_FILE")
        origin = origins.get(service.name)
        known = origin if isinstance(origin, tuple) else ()
        plain = [endpoint.authority for endpoint in known if not endpoint.tls]
        if plain:
            reader.problems.append(
                f"{service.url_variable}: must be https:// for {', '.join(plain)}, "
                f"since {stem}_* says how TLS is used"
            )
        _check(reader, f"{stem}_CA_FILE, {stem}_CERTIFICATE_FILE", tls)
    return found


def _check(reader: Reader, variables: str, tls: ServerTls | TlsSettings) -> None:
    """Load the files once, so that a gateway that cannot use them does not start."""
    try:
        tls.load()
    except InvalidTlsSettings as error:
        reader.problems.append(f"{variables}: {error}")


def _check_together(reader: Reader, variable: str, other: str) -> None:
    if reader.is_set(variable) and not reader.is_set(other):
        reader.problems.append(f"{variable}: has no meaning without {other}")


def _file(text: str) -> Path | None:
    return Path(text) if text else None


def _mode(text: str) -> ClientCertificates:
    for mode in _MODES:
        if text == mode:
            return mode
    raise ValueError(f"must be one of {', '.join(_MODES)}, not {text!r}")


def _server_name(text: str) -> str:
    if not text.isascii() or any(character.isspace() or character in "/@:" for character in text):
        raise ValueError(f"must be a host name without port, not {text!r}")
    return text
