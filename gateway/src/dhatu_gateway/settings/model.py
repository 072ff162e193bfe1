"""Everything that the operator decides, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dhatu_gateway.auth.jwt import MAX_ACCESS_LIFETIME_S
from dhatu_gateway.auth.key_ring import KeySource
from dhatu_gateway.auth.providers.config import Provider
from dhatu_gateway.auth.store.opening import Location
from dhatu_gateway.core.clients import ClientNetworks
from dhatu_gateway.core.discovery.discovery import DiscoveryConfig
from dhatu_gateway.core.discovery.origin import Origin
from dhatu_gateway.core.lifecycle import Drain
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.server.tls import ServerTls
from dhatu_gateway.core.types import Service
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.tls import TlsSettings
from dhatu_gateway.settings.connections import read_clients, read_connections, read_drain
from dhatu_gateway.settings.credentials import read_jwt_keys, read_location
from dhatu_gateway.settings.discovery import read_discovery, read_origins
from dhatu_gateway.settings.mirrors import MirrorSettings, read_mirrors
from dhatu_gateway.settings.providers import read_providers
from dhatu_gateway.settings.reader import (
    Reader,
    SettingsError,
    between,
    boolean,
    http_url,
    part_of,
    redis_url,
)
from dhatu_gateway.settings.tls import read_client_certificates_file, read_server_tls, read_service_tls

MAX_WORKERS = 256
NOT_YET_EFFECTIVE = ("JAEGER_ENDPOINT",)
"""Read and checked, so that a configuration can be written once, but nothing follows from them yet."""
READ_ELSEWHERE = ("GATEWAY_API_KEY", "GATEWAY_TABLE")
"""By commands, and before the services are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the environment says, in the types that the gateway uses."""

    host: str
    port: int
    """0 takes any free port."""
    workers: int
    database: Location
    """Where keys, users and tokens are kept."""
    audit_keep_days: int
    """How long entries of the audit log are kept; 0 for ever."""
    demo: bool
    """Allows the secret that everybody knows."""
    redis_url: str | None = field(repr=False)
    redis_password: str | None = field(repr=False)
    limit_local_share: float
    """The part of a limit that one process allows while Redis is out."""
    origins: Mapping[str, Origin]
    """Where each service is, or whom to ask for it."""
    discovery: DiscoveryConfig
    zone: str
    """Where this gateway runs; empty where it has no zone."""
    jwt_keys: tuple[KeySource, ...]
    """Of access tokens; one of them signs."""
    jwt_lifetime_s: int
    providers: tuple[Provider, ...]
    """Whose tokens are taken besides."""
    metrics: bool
    clients: ClientNetworks
    """Whose word counts on where a request comes from, and from where requests are taken."""
    connections: ServerLimits
    drain: Drain
    mocked: frozenset[str]
    """Services and operations that are answered with examples."""
    tls: ServerTls | None
    """None where clients come without TLS."""
    client_certificates_file: Path | None
    """Whom the certificates of clients stand for."""
    service_tls: Mapping[str, TlsSettings]
    """By service, where something is said of it."""
    mirrors: Mapping[str, MirrorSettings]
    """By service; none for most."""
    max_in_flight: int
    """Calls that one process takes at once; 0 for any number."""
    maintenance_file: Path | None
    """What it says is out of use while it is there."""
    without_effect: tuple[str, ...]
    """Variables that are set and not used yet."""
    said: tuple[str, ...] = field(default=(), repr=False)
    """What was set, for people."""
    unread: tuple[str, ...] = ()
    """What is set and may be a mistake, as nothing reads it."""

    @property
    def endpoints(self) -> dict[str, tuple[Endpoint, ...]]:
        """What is known by itself, by service; nothing where somebody has to be asked."""
        return {name: origin if isinstance(origin, tuple) else () for name, origin in self.origins.items()}


def read_settings(environment: Mapping[str, str], services: tuple[Service, ...]) -> Settings:
    """Read the environment; raises `SettingsError` that names everything that is wrong with it."""
    reader = Reader(environment)
    settings = _read(reader, services)
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return replace(settings, said=tuple(reader.said()), unread=tuple(reader.unread(READ_ELSEWHERE)))


def variables(services: tuple[Service, ...]) -> Mapping[str, str]:
    """Every variable that means something, and what counts where it is not set; for the documentation."""
    stems = {service.url_variable.removesuffix("_SERVICE_URL") for service in services} - {""}
    asking = ("CONSUL_URL", "KUBERNETES_URL", *(f"{stem}_MIRROR_URL" for stem in stems))
    reader = Reader(dict.fromkeys(asking, "http://127.0.0.1"))  # others are read only beside these
    _read(reader, services)
    return reader.asked | dict.fromkeys(READ_ELSEWHERE, "")


def _read(reader: Reader, services: tuple[Service, ...]) -> Settings:
    demo = reader.value("GATEWAY_DEMO", "0", boolean)
    for variable in NOT_YET_EFFECTIVE:
        reader.value(variable, "", http_url)
    mocked = reader.value("GATEWAY_MOCK", "", _names)
    origins = read_origins(reader, services, mocked)
    return Settings(
        host=reader.value("GATEWAY_HOST", "127.0.0.1", _host),
        port=reader.value("GATEWAY_PORT", "8000", between(0, 65_535)),
        workers=(workers := reader.value("GATEWAY_WORKERS", "1", between(1, MAX_WORKERS))),
        database=read_location(reader),
        audit_keep_days=reader.value("GATEWAY_AUDIT_KEEP_DAYS", "400", between(0, 36_500)),
        demo=demo,
        redis_url=reader.value("REDIS_URL", "", redis_url) or None,
        redis_password=reader.value("REDIS_PASSWORD", "", str) or None,
        limit_local_share=reader.value("RATE_LIMIT_LOCAL_SHARE", "", _local_share) or 1 / workers,
        origins=origins,
        discovery=read_discovery(reader, origins),
        zone=reader.value("GATEWAY_ZONE", "", _zone),
        jwt_keys=read_jwt_keys(reader, demo),
        jwt_lifetime_s=60 * reader.value("JWT_EXPIRE_MINUTES", "60", between(1, MAX_ACCESS_LIFETIME_S // 60)),
        providers=read_providers(reader),
        metrics=reader.value("PROMETHEUS_ENABLED", "1", boolean),
        clients=read_clients(reader),
        connections=read_connections(reader),
        drain=read_drain(reader),
        mocked=mocked,
        tls=read_server_tls(reader),
        client_certificates_file=read_client_certificates_file(reader),
        service_tls=read_service_tls(reader, services, origins),
        mirrors=read_mirrors(reader, services),
        max_in_flight=reader.value("GATEWAY_MAX_IN_FLIGHT", "0", between(0, 1_000_000)),
        maintenance_file=reader.value("GATEWAY_MAINTENANCE_FILE", "", _file),
        without_effect=tuple(name for name in NOT_YET_EFFECTIVE if reader.is_set(name)),
    )


def _file(text: str) -> Path | None:
    return Path(text) if text else None


def _host(text: str) -> str:
    if not text or any(character.isspace() or character in "/@" for character in text):
        raise ValueError(f"must be a host name or an address without port, not {text!r}")
    return text


def _zone(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"must be the name of a zone, such as eu-central-1a, not {text!r}")
    return text


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _local_share(text: str) -> float:
    """Zero where nothing is said."""
    return part_of(text) if text else 0.0
