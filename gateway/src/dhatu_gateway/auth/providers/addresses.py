"""Which addresses a provider may have: names are looked up by us, and what they lead to is checked."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from dhatu_gateway.auth.errors import ProviderError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[tuple[Address, ...]]]
"""The addresses of a host and port; raises `OSError` where there are none."""

NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local: the metadata service of most clouds
        "fe80::/10",
        "fd00:ec2::/32",  # Amazon's metadata service and its neighbours
        "100.100.100.200/32",  # Alibaba's metadata service
        "168.63.129.16/32",  # Azure's agent, at an address that looks public
        "192.0.0.0/24",  # Oracle's metadata service, and other protocol assignments
        "64:ff9b:1::/48",  # translated to IPv4 in ways that only the network knows
    )
)
"""Nobody is asked there, whatever a provider may do: what answers gives out the machine's own credentials."""
PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    )
)
"""This machine, and networks that only their owner reaches."""
EMBEDDING = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""NAT64 (RFC 6052) and addresses of old: their last 32 bits are an IPv4 address."""


_lookups = ThreadPoolExecutor(2, "dhatu-lookup")
"""Not the event loop's own threads: a name server that is slow must not keep them from others."""


async def resolve(host: str, port: int) -> tuple[Address, ...]:
    """Look a name up the way the system does; an address is its own."""
    look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_lookups, look_up)
    return tuple(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def is_allowed(address: Address, *, private: bool) -> bool:
    """Whether a provider may be asked at an address.

    >>> is_allowed(ipaddress.ip_address("10.0.0.1"), private=False)
    False
    >>> is_allowed(ipaddress.ip_address("::ffff:169.254.169.254"), private=True)
    False
    """
    inner = _inner(address)
    if any(inner in network for network in NEVER):
        return False
    if any(inner in network for network in PRIVATE):
        return private
    return inner.is_global and not inner.is_multicast


def allowed_addresses(host: str, found: tuple[Address, ...], *, private: bool) -> tuple[Address, ...]:
    """Those of the addresses where the provider may be; raises `ProviderError` if there are none."""
    allowed = tuple(address for address in found if is_allowed(address, private=private))
    if not allowed:
        shown = ", ".join(map(str, found)) or "no address"
        raise ProviderError(f"{host} leads to {shown}, where no provider may be")
    return allowed


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return address
    if any(address in network for network in EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    # Teredo and 6to4 lead to whatever they embed; Python calls both global.
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo is not None else None) or address
