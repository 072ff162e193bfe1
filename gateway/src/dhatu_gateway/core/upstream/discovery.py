"""Where the endpoints of a service are; this first form reads them from a setting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?|\[[0-9a-f:.]+\]")


class InvalidEndpoint(ValueError):
    """A URL that cannot be an endpoint; the message names it and says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of a service."""

    host: str
    """Name or address; an IPv6 address without its brackets."""
    port: int
    tls: bool = False
    weight: float = 1.0
    """Its share beside the others, above 0."""
    zone: str = ""
    """Where it runs; empty where nobody says."""
    tags: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        """What the Host header says: RFC 9110 section 7.2; the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default_port = _DEFAULT_PORTS["https" if self.tls else "http"]
        return host if self.port == default_port else f"{host}:{self.port}"


def parse_endpoints(urls: str) -> tuple[Endpoint, ...]:
    """Read one URL or several separated by commas.

    >>> [endpoint.authority for endpoint in parse_endpoints("http://127.0.0.1:8101, https://corpus.example")]
    ['127.0.0.1:8101', 'corpus.example']

    Raises `InvalidEndpoint` where a URL is malformed, has more than scheme, host and port, or comes twice.
    """
    endpoints = tuple(_parse_endpoint(url.strip()) for url in urls.split(","))
    for index, endpoint in enumerate(endpoints):
        if endpoint in endpoints[:index]:
            raise InvalidEndpoint(f"{endpoint.authority} is listed twice: list each endpoint once")
    return endpoints


def _parse_endpoint(url: str) -> Endpoint:
    if not url:
        raise InvalidEndpoint("an endpoint is empty: write a URL such as http://127.0.0.1:8101")
    if not url.isprintable():
        raise InvalidEndpoint(f"{url!r} is not a URL: it holds a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidEndpoint(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidEndpoint(f"{url!r} must start with http:// or https://")
    if "@" in parts.netloc:
        raise InvalidEndpoint("an endpoint holds a user name or password: take it out of the URL")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise InvalidEndpoint(
            f"{url!r} must be scheme, host and port only: the path comes from the specification"
        )
    host = parts.hostname or ""
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise InvalidEndpoint(f"{url!r} has no valid host name or address")
    if port == 0:
        raise InvalidEndpoint(f"{url!r} has port 0, which nothing can listen on")
    return Endpoint(host=host, port=port or _DEFAULT_PORTS[parts.scheme], tls=parts.scheme == "https")
