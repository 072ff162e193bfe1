"""Where services are, and whom to ask for them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from dhatu_gateway.core.discovery.discovery import DiscoveryConfig
from dhatu_gateway.core.discovery.http import ServerAccess
from dhatu_gateway.core.discovery.origin import (
    ConsulOrigin,
    KubernetesOrigin,
    Nameserver,
    Origin,
    parse_origin,
)
from dhatu_gateway.core.types import Service
from dhatu_gateway.settings.reader import Reader, http_url
from dhatu_gateway.settings.registration import read_registration

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


def read_origins(reader: Reader, services: tuple[Service, ...], mocked: Collection[str]) -> dict[str, Origin]:
    """What each *_SERVICE_URL says, by service; those in `mocked` need not be anywhere."""
    origins: dict[str, Origin] = {}
    for service in services:
        variable, default = service.url_variable, service.default_url
        if not variable:
            continue
        if default or reader.is_set(variable):
            origins[service.name] = reader.value(variable, default, parse_origin)
        elif service.name not in mocked:
            reader.problems.append(
                f"{variable}: must say where the service {service.name} is, such as http://127.0.0.1:8101"
            )
    return origins


def read_discovery(reader: Reader, origins: Mapping[str, Origin]) -> DiscoveryConfig:
    """Whom to ask; what is named in a *_SERVICE_URL has to be there."""
    consul, kubernetes = _consul(reader), _kubernetes(reader)
    for origin in origins.values():
        if isinstance(origin, ConsulOrigin) and consul is None:
            reader.problems.append(f"CONSUL_URL: must be set, for consul+http://{origin.service} asks it")
        if isinstance(origin, KubernetesOrigin) and kubernetes is None:
            where = f"k8s+http://{origin.namespace}/{origin.service}"
            reader.problems.append(f"KUBERNETES_URL: must be set outside of a cluster, for {where} asks it")
    prefix = reader.value("CONSUL_KEY_PREFIX", "", _prefix)
    if prefix and consul is None:
        reader.problems.append("CONSUL_KEY_PREFIX: needs CONSUL_URL")
    return DiscoveryConfig(
        nameservers=reader.value("DNS_NAMESERVERS", "", _nameservers),
        consul=consul,
        kubernetes=kubernetes if any(isinstance(o, KubernetesOrigin) for o in origins.values()) else None,
        key_prefix=prefix,
        endpoints_file=reader.value("GATEWAY_ENDPOINTS_FILE", "", _writable_file),
        registration=read_registration(reader, has_consul=consul is not None),
    )


def _consul(reader: Reader) -> ServerAccess | None:
    url = reader.value("CONSUL_URL", "", http_url)
    if not url:
        return None
    access = ServerAccess(
        name="Consul",
        url=url.rstrip("/"),
        ca_file=reader.value("CONSUL_CA_FILE", "", existing_file),
        certificate_file=reader.value("CONSUL_CERTIFICATE_FILE", "", existing_file),
        key_file=reader.value("CONSUL_KEY_FILE", "", existing_file),
        token=reader.value("CONSUL_TOKEN", "", _token),
        token_file=reader.value("CONSUL_TOKEN_FILE", "", existing_file),
        token_header="x-consul-token",
        token_prefix="",
    )
    if access.token and access.token_file:
        reader.problems.append("CONSUL_TOKEN: must not be set together with CONSUL_TOKEN_FILE")
    return _checked(reader, "CONSUL_CA_FILE", access)


def _kubernetes(reader: Reader) -> ServerAccess | None:
    url = reader.value("KUBERNETES_URL", "", http_url)
    host, port = (
        reader.value("KUBERNETES_SERVICE_HOST", "", str),
        reader.value("KUBERNETES_SERVICE_PORT", "", str),
    )
    inside = not url and bool(host)
    if inside:
        url = f"https://{f'[{host}]' if ':' in host else host}:{port or '443'}"
    if not url:
        return None
    account = Path(_SERVICE_ACCOUNT)
    access = ServerAccess(
        name="Kubernetes",
        url=url.rstrip("/"),
        ca_file=reader.value("KUBERNETES_CA_FILE", "", existing_file),
        token_file=reader.value("KUBERNETES_TOKEN_FILE", "", existing_file),
    )
    if inside:
        access = replace(
            access,
            ca_file=access.ca_file or account / "ca.crt",
            token_file=access.token_file or account / "token",
        )
    return access if inside else _checked(reader, "KUBERNETES_CA_FILE", access)


def _checked(reader: Reader, variable: str, access: ServerAccess) -> ServerAccess:
    """Try the files now: a gateway with a bad one must not start."""
    try:
        access.context()
    except ValueError as error:
        reader.problems.append(f"{variable}: {error}")
    return access


def existing_file(text: str) -> Path | None:
    """None where nothing is said."""
    if text and not Path(text).is_file():
        raise ValueError(f"must name a file that exists, not {text!r}")
    return Path(text) if text else None


def _writable_file(text: str) -> Path | None:
    """A file that may be there already, in a folder that has to be."""
    if text and (Path(text).is_dir() or not os.access(Path(text).parent, os.W_OK | os.X_OK)):
        raise ValueError(f"must name a file in a folder that exists and can be written to, not {text!r}")
    return Path(text) if text else None


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a token of printable ASCII characters without spaces")
    return text


def _prefix(text: str) -> str:
    prefix = text.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ValueError(f"must be a path of keys such as dhatu/gateway, not {text!r}")
    return prefix


def _nameservers(text: str) -> tuple[Nameserver, ...]:
    """Addresses, each with a port if it is not 53: `10.0.0.2, 10.0.0.3:5353, [fd00::1]:53`."""
    return tuple(_nameserver(part.strip()) for part in text.split(",")) if text else ()


def _nameserver(text: str) -> Nameserver:
    address = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::([0-9]{1,5}))?|([0-9.]+)(?::([0-9]{1,5}))?", text)
    try:
        if address is None:
            raise ValueError
        host, port = address[1] or address[3], int(address[2] or address[4] or 53)
        ip_address(host)
        if not 0 < port < 65_536:
            raise ValueError
    except ValueError as error:
        raise ValueError(f"must be addresses such as 10.0.0.2 or 10.0.0.2:5353, not {text!r}") from error
    return Nameserver(host=host, port=port)
