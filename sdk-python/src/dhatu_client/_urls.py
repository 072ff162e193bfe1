"""Base URLs: checked and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ._errors import ConfigurationError
from ._wire import Endpoint


def listed_endpoints(given: Sequence[str] | Mapping[str, float], name: str) -> tuple[Endpoint, ...]:
    """Addresses, perhaps with weights, of which there must be one. Raises `ConfigurationError`."""
    weighted = given.items() if isinstance(given, Mapping) else [(url, 1.0) for url in given]
    if not weighted:
        raise ConfigurationError(f"the address of the API is missing: set {name}")
    return tuple(Endpoint(checked_url(url, name), _checked_weight(weight)) for url, weight in weighted)


def checked_url(url: str, name: str) -> str:
    """The address without a slash at its end. Raises `ConfigurationError`."""
    if not url:
        raise ConfigurationError(f"the address of the API is missing: set {name}")
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{name} must be an address such as https://api.example.com")
    if "?" in url or "#" in url:
        raise ConfigurationError(f"{name} must hold neither a query nor a fragment")
    return url.rstrip("/")


def _checked_weight(weight: float) -> float:
    if not 0 < weight < float("inf"):
        raise ConfigurationError(f"the weight of a base URL must be a number above 0, not {weight!r}")
    return weight
