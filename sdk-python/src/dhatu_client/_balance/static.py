"""Endpoints that are known beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .._urls import listed_endpoints
from .._wire import AsyncTransport, Endpoint, Transport


class StaticEndpoints:
    """A list of base URLs, or a mapping of base URL to weight.

    The same as giving either as `base_url`; for code that chooses among providers.
    """

    refresh_s = math.inf

    def __init__(self, urls: Sequence[str] | Mapping[str, float]) -> None:
        """Raises `ConfigurationError`."""
        self._endpoints = listed_endpoints([urls] if isinstance(urls, str) else urls, "StaticEndpoints()")

    def __repr__(self) -> str:
        return f"StaticEndpoints(<{len(self._endpoints)} endpoints>)"

    def endpoints(self, transport: Transport) -> Sequence[Endpoint]:
        return self._endpoints

    async def aendpoints(self, transport: AsyncTransport) -> Sequence[Endpoint]:
        return self._endpoints
