"""What an endpoint of a service is, and how a setting names some."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?|\[[0-9a-f:.]+\]")
_WEIGHT = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=/:+-]{0,127}")
MAX_WEIGHT = 65_535


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
    found_as: str = ""
    """The name that led to `host`: what the Host header and the certificate say; empty where `host` is it."""

    @property
    def identity(self) -> tuple[str, int, bool, str]:
        """What connections depend on: with any other of these it is another endpoint."""
        return self.host, self.port, self.tls, self.found_as

    @property
    def authority(self) -> str:
        """Where it is, as part of a URL; the port only where it is not the scheme's own."""
        return self._with_port(self.host)

    @property
    def url(self) -> str:
        """For people."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    @property
    def host_header(self) -> str:
        """RFC 9110 section 7.2."""
        return self._with_port(self.found_as or self.host)

    def _with_port(self, host: str) -> str:
        shown = f"[{host}]" if ":" in host else host
        default_port = _DEFAULT_PORTS["https" if self.tls else "http"]
        return shown if self.port == default_port else f"{shown}:{self.port}"


def parse_endpoints(urls: str) -> tuple[Endpoint, ...]:
    """Read one URL or several separated by commas, each with its options behind semicolons.

    >>> [endpoint.authority for endpoint in parse_endpoints("http://127.0.0.1:8101, https://corpus.example")]
    ['127.0.0.1:8101', 'corpus.example']
    >>> [endpoint] = parse_endpoints("http://127.0.0.1:8101;weight=3;zone=eu-1;tag=canary")
    >>> endpoint.weight, endpoint.zone, endpoint.tags
    (3.0, 'eu-1', ('canary',))

    Raises `InvalidEndpoint` where a URL is malformed, has more than scheme, host and port, or comes twice,
    and for an option that does not exist or has a bad value.
    """
    endpoints = tuple(_parse_endpoint(url.strip()) for url in urls.split(","))
    known = [endpoint.identity for endpoint in endpoints]
    for index, endpoint in enumerate(endpoints):
        if endpoint.identity in known[:index]:
            raise InvalidEndpoint(f"{endpoint.authority} is listed twice: list each endpoint once")
    return endpoints


def valid_host(host: str) -> bool:
    """Whether this is a name or an address in lower case, an IPv6 one without brackets."""
    return bool(_HOST.fullmatch(f"[{host}]" if ":" in host else host))


def parse_weight(text: str) -> float:
    """Read a share beside others; raises `InvalidEndpoint`.

    >>> parse_weight("3"), parse_weight("0.25")
    (3.0, 0.25)
    """
    weight = float(text) if _WEIGHT.fullmatch(text) else 0.0
    if not 0 < weight <= MAX_WEIGHT:
        raise InvalidEndpoint(f"weight must be a number above 0 and up to {MAX_WEIGHT}, not {text!r}")
    return weight


def parse_word(what: str, text: str) -> str:
    """Read a zone or a tag; raises `InvalidEndpoint`."""
    if not _WORD.fullmatch(text):
        raise InvalidEndpoint(f"{what} must be a word such as eu-central-1a, not {text!r}")
    return text


def _parse_endpoint(text: str) -> Endpoint:
    url, *options = [part.strip() for part in text.split(";")]
    endpoint = _parse_url(url)
    seen: set[str] = set()
    for option in options:
        name, _, value = option.partition("=")
        if name in seen and name != "tag":
            raise InvalidEndpoint(f"{name} of {endpoint.authority} is said twice")
        seen.add(name)
        match name:
            case "weight":
                endpoint = replace(endpoint, weight=parse_weight(value))
            case "zone":
                endpoint = replace(endpoint, zone=parse_word("zone", value))
            case "tag":
                endpoint = replace(endpoint, tags=(*endpoint.tags, parse_word("tag", value)))
            case _:
                raise InvalidEndpoint(
                    f"{option!r} of {endpoint.authority} is none of weight=3, zone=eu-1 and tag=canary"
                )
    return endpoint


def _parse_url(url: str) -> Endpoint:
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
    if not valid_host(host):
        raise InvalidEndpoint(f"{url!r} has no valid host name or address")
    if port == 0:
        raise InvalidEndpoint(f"{url!r} has port 0, which nothing can listen on")
    return Endpoint(host=host, port=port or _DEFAULT_PORTS[parts.scheme], tls=parts.scheme == "https")
