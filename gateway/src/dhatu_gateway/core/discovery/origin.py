"""What a *_SERVICE_URL says: addresses, or whom to ask for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from dhatu_gateway.core.upstream.discovery import Endpoint, InvalidEndpoint, parse_endpoints, parse_word

_DYNAMIC: Final = re.compile(r"(?P<kind>dns|srv|consul|k8s)\+(?P<scheme>https?)://(?P<rest>[^;]*)")
_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?")
_KUBERNETES: Final = re.compile(r"([a-z0-9-]{1,63})/([a-z0-9-]{1,63})(?::([a-z0-9-]{1,15}|[0-9]{1,5}))?/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameserver:
    """Whom to ask for names."""

    host: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsOrigin:
    """Every address of a name."""

    name: str
    port: int
    tls: bool
    families: tuple[int, ...] = (4, 6)
    """Of addresses: 4 and 6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SrvOrigin:
    """The targets of SRV records."""

    name: str
    tls: bool
    families: tuple[int, ...] = (4, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsulOrigin:
    """The instances of a service that pass their checks in Consul."""

    service: str
    tls: bool
    tag: str = ""
    """Only those with this tag; empty for all."""
    datacenter: str = ""
    """Empty for the agent's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesOrigin:
    """The endpoints in the EndpointSlices of a Kubernetes service."""

    namespace: str
    service: str
    port: str
    """Name or number; empty where the service has one."""
    tls: bool


Dynamic: TypeAlias = DnsOrigin | SrvOrigin | ConsulOrigin | KubernetesOrigin
Origin: TypeAlias = tuple[Endpoint, ...] | Dynamic


def parse_origin(text: str) -> Origin:
    """Read a *_SERVICE_URL.

    >>> parse_origin("dns+http://corpus.internal:8102").name
    'corpus.internal'
    >>> parse_origin("consul+https://corpus;tag=v2").tag
    'v2'
    >>> parse_origin("k8s+http://default/corpus:http").service
    'corpus'

    Raises `InvalidEndpoint`.
    """
    found = _DYNAMIC.match(text)
    if found is None:
        return parse_endpoints(text)
    if "," in text:
        raise InvalidEndpoint(f"{text!r} must stand alone: whoever is asked says all endpoints")
    options = _options(text[found.end() :], _ALLOWED[found["kind"]])
    tls, rest = found["scheme"] == "https", found["rest"]
    match found["kind"]:
        case "consul":
            name = _name(rest.removesuffix("/"), text)
            tag, datacenter = options.get("tag", ""), options.get("dc", "")
            return ConsulOrigin(service=name, tls=tls, tag=tag, datacenter=datacenter)
        case "k8s":
            return _kubernetes(rest, text, tls)
        case "srv":
            return SrvOrigin(name=_name(rest.removesuffix("/"), text), tls=tls, families=_families(options))
        case _:
            host, separator, port = rest.removesuffix("/").partition(":")
            number = _port(port, text) if separator else (443 if tls else 80)
            return DnsOrigin(name=_name(host, text), port=number, tls=tls, families=_families(options))


_ALLOWED: Final = {"dns": ("family",), "srv": ("family",), "consul": ("tag", "dc"), "k8s": ()}


def _options(text: str, allowed: tuple[str, ...]) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in text.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name not in allowed or name in options:
            raise InvalidEndpoint(f"{part!r} is no option here; possible: {', '.join(allowed) or 'none'}")
        options[name] = parse_word(name, value)
    return options


def _families(options: dict[str, str]) -> tuple[int, ...]:
    family = options.get("family", "")
    if family not in ("", "4", "6"):
        raise InvalidEndpoint(f"family must be 4 or 6, not {family!r}")
    return (int(family),) if family else (4, 6)


def _name(text: str, whole: str) -> str:
    if not _NAME.fullmatch(text) or ".." in text:
        raise InvalidEndpoint(f"{whole!r} has no valid name after ://")
    return text


def _port(text: str, whole: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise InvalidEndpoint(f"{whole!r} must have a port from 1 to 65535")
    return int(text)


def _kubernetes(rest: str, whole: str, tls: bool) -> KubernetesOrigin:
    parts = _KUBERNETES.fullmatch(rest)
    if parts is None:
        raise InvalidEndpoint(f"{whole!r} must be k8s+http://namespace/service or .../service:port")
    return KubernetesOrigin(namespace=parts[1], service=parts[2], port=parts[3] or "", tls=tls)
