"""Where the parts of the platform are, read from the environment once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

_DEFAULT_GATEWAY: Final = "http://127.0.0.1:8000"
_DEFAULT_SERVICES: Final = {
    "analysis": "http://127.0.0.1:8103",
    "compression": "http://127.0.0.1:8101",
    "corpus": "http://127.0.0.1:8102",
}


class DashboardSettingsError(Exception):
    """A variable of the environment cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """Base URLs without a trailing slash."""

    gateway_url: str
    gateway_api_key: str = field(repr=False)
    """Has to hold the scope system:read; without it there are no figures about calls."""
    services: Mapping[str, tuple[str, ...]]
    """By name, sorted; one URL for each place where the service runs."""
    timeout_s: float = 2.0
    """For each question to one part, from connecting to the end of the answer."""


def settings_from(environment: Mapping[str, str]) -> DashboardSettings:
    """GATEWAY_URL, GATEWAY_API_KEY and *_SERVICE_URL, the last with several URLs separated by commas.

    Raises `DashboardSettingsError`.
    """
    gateway_url, *others = _urls(environment, "GATEWAY_URL", _DEFAULT_GATEWAY)
    if others:
        raise DashboardSettingsError("GATEWAY_URL must be a single URL: the one that clients call.")
    return DashboardSettings(
        gateway_url=gateway_url,
        gateway_api_key=environment.get("GATEWAY_API_KEY", ""),
        services={
            name: tuple(_urls(environment, f"{name.upper()}_SERVICE_URL", default))
            for name, default in sorted(_DEFAULT_SERVICES.items())
        },
    )


def _urls(environment: Mapping[str, str], variable: str, default: str) -> list[str]:
    text = environment.get(variable) or default
    urls = [url.strip().rstrip("/") for url in text.split(",") if url.strip()]
    for url in urls:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise DashboardSettingsError(f"{variable}: {url!r} is no URL ({error}).") from error
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise DashboardSettingsError(f"{variable} must be an http or https URL, not {url!r}.")
    if not urls:
        raise DashboardSettingsError(f"{variable} names no URL.")
    return urls
