"""Every address of a name is an endpoint."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from .._errors import DiscoveryError
from .._urls import checked_url
from .._wire import AsyncTransport, Endpoint, Transport, without_user
from .provider import checked_refresh


class DnsEndpoints:
    """The addresses behind a name, looked up again every `refresh_s` seconds: `DnsEndpoints("https://api.test")`.

    Requests go to the addresses, but carry the name in the Host header, and TLS verifies the certificate for
    the name. Addresses of IPv6 count only where this machine has one. All weigh the same: SRV records, which
    have weights, need a resolver that Python does not bring.
    """

    def __init__(self, url: str, *, refresh_s: float = 30.0) -> None:
        """`refresh_s` takes the place of the record's time to live, which the resolver does not tell.

        Raises `ConfigurationError`.
        """
        self.refresh_s = checked_refresh(refresh_s)
        self._url = checked_url(url, "the address of DnsEndpoints()")
        self._parts = urlsplit(self._url)
        self._name = self._parts.hostname or ""
        self._port = self._parts.port

    def __repr__(self) -> str:
        return f"DnsEndpoints({without_user(self._url)!r})"

    def endpoints(self, transport: Transport) -> Sequence[Endpoint]:
        """Raises `DiscoveryError`."""
        try:
            found = socket.getaddrinfo(
                self._name, self._port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
        except (OSError, UnicodeError) as error:
            raise self._unknown(error) from error
        return self._listed(found)

    async def aendpoints(self, transport: AsyncTransport) -> Sequence[Endpoint]:
        """Raises `DiscoveryError`."""
        from anyio import getaddrinfo  # comes with httpx

        try:
            found = await getaddrinfo(
                self._name, self._port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
        except (OSError, UnicodeError) as error:
            raise self._unknown(error) from error
        return self._listed(found)

    def _listed(self, found: Sequence[tuple[Any, ...]]) -> tuple[Endpoint, ...]:
        addresses = dict.fromkeys(str(answer[-1][0]) for answer in found)
        return tuple(self._at(address) for address in addresses)

    def _at(self, address: str) -> Endpoint:
        if address == self._name:  # no name was given, so that there is none to verify
            return Endpoint(self._url)
        user, at, _ = self._parts.netloc.rpartition("@")
        port = f":{self._port}" if self._port else ""
        place = f"[{address}]" if ":" in address else address
        return Endpoint(
            self._parts._replace(netloc=f"{user}{at}{place}{port}").geturl(), host=self._name + port
        )

    def _unknown(self, error: Exception) -> DiscoveryError:
        return DiscoveryError(
            f"the name {self._name} has no address: {error}; check the address of DnsEndpoints()"
        )
