"""What the operator decides: read once from the environment, checked as a whole, then frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

from dhatu_gateway.auth.errors import SigningKeyError
from dhatu_gateway.auth.jwks import ALGORITHMS, Algorithm, load_signing_key
from dhatu_gateway.auth.jwt import MAX_ACCESS_LIFETIME_S
from dhatu_gateway.auth.key_ring import KeySource, read_key_file
from dhatu_gateway.auth.store.opening import Location, RedisLocation
from dhatu_gateway.core.clients import (
    FORWARDING_HEADERS,
    ClientNetworks,
    ForwardingHeader,
    parse_networks,
)
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import Service
from dhatu_gateway.core.upstream.discovery import Endpoint, InvalidEndpoint, parse_endpoints

T = TypeVar("T")

DEMO_SECRET = "dhatu-demo-secret-that-everybody-knows"
"""Signs tokens where GATEWAY_DEMO=1 and JWT_SECRET_KEY is not set."""
MAX_WORKERS = 256
NOT_YET_EFFECTIVE = ("JAEGER_ENDPOINT", "CONSUL_URL")
"""Read and checked, so that a configuration can be written once, but nothing follows from them yet."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """The environment has bad values; the message names every variable and what it should be."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        count = "1 variable is" if len(problems) == 1 else f"{len(problems)} variables are"
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"The gateway cannot start, {count} wrong:{lines}")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the environment says, in the types that the gateway uses."""

    host: str
    port: int
    """0 takes any free port."""
    workers: int
    database: Location
    """Where keys, users and tokens are kept."""
    demo: bool
    """Allows the secret that everybody knows."""
    redis_url: str | None = field(repr=False)
    redis_password: str | None = field(repr=False)
    limit_local_share: float
    """The part of a limit that one process allows while Redis is out."""
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    """By service."""
    jwt_keys: tuple[KeySource, ...]
    """Of access tokens; one of them signs."""
    jwt_lifetime_s: int
    metrics: bool
    clients: ClientNetworks
    """Whose word counts on where a request comes from, and from where requests are taken."""
    connections: ServerLimits
    without_effect: tuple[str, ...]
    """Variables that are set and not used yet."""


def read_settings(environment: Mapping[str, str], services: tuple[Service, ...]) -> Settings:
    """Read the environment; raises `SettingsError` that names everything that is wrong with it."""
    reader = _Reader(environment)
    demo = reader.value("GATEWAY_DEMO", "0", _boolean)
    for variable in NOT_YET_EFFECTIVE:
        reader.value(variable, "", _http_url)
    endpoints = {
        service.name: reader.value(service.url_variable, service.default_url, parse_endpoints)
        for service in services
        if service.url_variable
    }
    settings = Settings(
        host=reader.value("GATEWAY_HOST", "127.0.0.1", _host),
        port=reader.value("GATEWAY_PORT", "8000", _between(0, 65_535)),
        workers=(workers := reader.value("GATEWAY_WORKERS", "1", _between(1, MAX_WORKERS))),
        database=_database(reader),
        demo=demo,
        redis_url=reader.value("REDIS_URL", "", _redis_url) or None,
        redis_password=environment.get("REDIS_PASSWORD") or None,
        limit_local_share=reader.value("RATE_LIMIT_LOCAL_SHARE", "", _share) or 1 / workers,
        endpoints=endpoints,
        jwt_keys=_jwt_keys(reader, demo),
        jwt_lifetime_s=60
        * reader.value("JWT_EXPIRE_MINUTES", "60", _between(1, MAX_ACCESS_LIFETIME_S // 60)),
        metrics=reader.value("PROMETHEUS_ENABLED", "1", _boolean),
        clients=ClientNetworks(
            trusted_proxies=reader.value("GATEWAY_TRUSTED_PROXIES", "", parse_networks),
            header=reader.value("GATEWAY_FORWARDING_HEADER", "X-Forwarded-For", _forwarding_header),
            allowed=reader.value("GATEWAY_ALLOWED_NETWORKS", "", parse_networks),
            denied=reader.value("GATEWAY_DENIED_NETWORKS", "", parse_networks),
        ),
        connections=_connections(reader),
        without_effect=tuple(name for name in NOT_YET_EFFECTIVE if environment.get(name)),
    )
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return settings


def read_database(environment: Mapping[str, str]) -> Location:
    """Return where keys, users and tokens are kept; all that the commands about them need to know."""
    reader = _Reader(environment)
    location = _database(reader)
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return location


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def value(self, variable: str, default: str, parse: Callable[[str], T]) -> T:
        """Parse a variable; one that is set but empty counts as not set, as is usual in compose files."""
        text = self._environment.get(variable, "").strip()
        try:
            return parse(text or default)
        except (ValueError, InvalidEndpoint) as error:
            self.problems.append(f"{variable}: {error}")
        # A stand-in, so that the rest can be read too; `read_settings` raises before anybody uses it.
        try:
            return parse(default)
        except ValueError:
            return cast(T, None)

    def is_set(self, variable: str) -> bool:
        """True where a variable says something."""
        return bool(self._environment.get(variable, "").strip())


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(f"must be 1 or 0, not {text!r}")
    return text.lower() in _TRUE


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def _share(text: str) -> float:
    """Zero where nothing is said."""
    try:
        share = float(text or 0)
    except ValueError:
        share = -1.0
    if text and not 0 < share <= 1:
        raise ValueError(
            f"must be a number above 0 and up to 1, such as 0.25 for four processes, not {text!r}"
        )
    return share


def _host(text: str) -> str:
    if not text or any(character.isspace() or character in "/@" for character in text):
        raise ValueError(f"must be a host name or an address without port, not {text!r}")
    return text


def _algorithm(text: str) -> Algorithm:
    for algorithm in ALGORITHMS:
        if text == algorithm:
            return algorithm
    raise ValueError(f"must be one of {', '.join(ALGORITHMS)}, not {text!r}")


def _database(reader: _Reader) -> Location:
    password = reader.value("REDIS_PASSWORD", "", str) or None
    return reader.value("GATEWAY_DATABASE", "dhatu.sqlite3", lambda text: _location(text, password))


def _location(text: str, password: str | None) -> Location:
    if "://" not in text:
        return Path(text)
    return RedisLocation(url=_redis_url(text), password=password)


def _jwt_keys(reader: _Reader, demo: bool) -> tuple[KeySource, ...]:
    if not reader.is_set("JWT_KEYS_FILE"):
        algorithm: Algorithm = reader.value("JWT_ALGORITHM", "HS256", _algorithm)
        secret = reader.value("JWT_SECRET_KEY", DEMO_SECRET, lambda text: _secret(text, algorithm, demo))
        return (KeySource(text=secret, algorithm=algorithm),)
    for variable in ("JWT_SECRET_KEY", "JWT_ALGORITHM"):
        if reader.is_set(variable):
            reader.problems.append(
                f"{variable}: must not be set together with JWT_KEYS_FILE, which says it all"
            )
    return reader.value("JWT_KEYS_FILE", "", _key_file)


def _key_file(text: str) -> tuple[KeySource, ...]:
    try:
        return read_key_file(Path(text))
    except SigningKeyError as error:
        raise ValueError(str(error)) from error


def _connections(reader: _Reader) -> ServerLimits:
    """What clients may send, and how slowly; the bounds keep out what would be no limit, or no service."""

    def number(variable: str, default: float, least: int, most: int) -> int:
        return reader.value(variable, str(int(default)), _between(least, most))

    usual = ServerLimits()
    return ServerLimits(
        max_target_bytes=number("GATEWAY_MAX_TARGET_BYTES", usual.max_target_bytes, 256, 1_048_576),
        max_header_bytes=number("GATEWAY_MAX_HEADER_BYTES", usual.max_header_bytes, 1_024, 1_048_576),
        max_headers=number("GATEWAY_MAX_HEADERS", usual.max_headers, 8, 10_000),
        header_timeout_s=number("GATEWAY_HEADER_TIMEOUT_S", usual.header_timeout_s, 1, 3_600),
        body_grace_s=number("GATEWAY_BODY_GRACE_S", usual.body_grace_s, 1, 3_600),
        min_body_bytes_per_s=number(
            "GATEWAY_MIN_BODY_BYTES_PER_S", usual.min_body_bytes_per_s, 1, 1_000_000_000
        ),
        keep_alive_s=number("GATEWAY_KEEP_ALIVE_S", usual.keep_alive_s, 1, 3_600),
        write_stall_s=number("GATEWAY_WRITE_STALL_S", usual.write_stall_s, 1, 3_600),
    )


def _forwarding_header(text: str) -> ForwardingHeader:
    for header in FORWARDING_HEADERS:
        if text.lower() == header.lower():
            return header
    raise ValueError(f"must be {' or '.join(FORWARDING_HEADERS)}, not {text!r}")


def _secret(text: str, algorithm: Algorithm, demo: bool) -> str:
    if text == DEMO_SECRET:
        if not demo:
            raise ValueError(
                "must be set to a secret of your own, such as `openssl rand -base64 48` gives; "
                "the built-in one is for demonstrations and needs GATEWAY_DEMO=1"
            )
        if algorithm != "HS256":
            raise ValueError(f"must be set to a private key in PEM, since JWT_ALGORITHM is {algorithm}")
    try:
        load_signing_key(text, algorithm)
    except SigningKeyError as error:
        raise ValueError(str(error)) from error
    return text


def _redis_url(text: str) -> str:
    return _url(text, ("redis", "rediss", "unix"), "redis://127.0.0.1:6379")


def _http_url(text: str) -> str:
    return _url(text, ("http", "https"), "http://127.0.0.1:4318")


def _url(text: str, schemes: tuple[str, ...], example: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"must be a URL such as {example}: {error}") from error
    if parts.scheme not in schemes or not (parts.netloc or parts.path) or not port_is_valid:
        # Not repeated: it may hold a password.
        raise ValueError(f"must be a URL such as {example}")
    return text
