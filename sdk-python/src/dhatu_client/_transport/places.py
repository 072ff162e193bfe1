"""How an endpoint is reached: its address as it goes out, and through which proxy."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

_KEPT_IN_PATH = "/%:@!$&'()*+,;=~"


class Place(NamedTuple):
    """What a transport of our own has to know of an endpoint."""

    scheme: str
    base: str
    """Its URL without user and password."""
    authorization: str
    """What user and password in the URL stand for; empty where there are none."""
    proxy: str
    """Where requests go instead; empty where they go straight there."""


def place_of(url: str) -> Place:
    """Reads the environment for the proxy, as httpx does."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return Place(
        scheme=parts.scheme,
        base=f"{parts.scheme}://{host}{quote(parts.path, safe=_KEPT_IN_PATH)}",
        authorization=_basic(parts.username, parts.password),
        proxy=_proxy(parts.scheme, parts.hostname or ""),
    )


def _proxy(scheme: str, host: str) -> str:
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if not found or proxy_bypass(host):
        return ""
    return found if "://" in found else f"http://{found}"


def _basic(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"
