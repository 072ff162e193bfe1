"""Where a request comes from: the peer, or whom the trusted proxies in front of the gateway saw.

A forwarding header is read from its end. The last entry was written by the peer; where that is a trusted
proxy, the entry before it was written by the one that it names, and so on: the right-most address that is
no trusted proxy is the client. What stands to the left of it may be a forgery, and is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
ForwardingHeader: TypeAlias = Literal["X-Forwarded-For", "Forwarded"]

FORWARDING_HEADERS: tuple[ForwardingHeader, ...] = ("X-Forwarded-For", "Forwarded")
IPV6_PREFIX = 64
"""What one subscriber is given at least (RFC 6177), so that an address in it says nothing of its own."""
MAX_HOPS = 32
MAX_REMEMBERED = 4_096
MAX_REMEMBERED_BYTES = 256

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# RFC 7239 section 4; colons and brackets are not allowed outside quotes, but are often sent.
_PAIR = rf'{_TOKEN}=(?:[!#$%&\'*+.^_`|~0-9A-Za-z:\[\]-]+|"(?:[^"\\]|\\.)*")'
_ELEMENT = re.compile(rf"[ \t]*{_PAIR}(?:[ \t]*;[ \t]*{_PAIR})*[ \t]*")
_PARAMETER = re.compile(rf'({_TOKEN})=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientNetworks:
    """What the operator says of addresses."""

    trusted_proxies: tuple[Network, ...] = ()
    """Peers whose forwarding header is believed; empty believes nobody."""
    header: ForwardingHeader = "X-Forwarded-For"
    """The one that those proxies write. The other is ignored: they may pass it on as a client sent it."""
    allowed: tuple[Network, ...] = ()
    """Only clients in these may call; empty for all."""
    denied: tuple[Network, ...] = ()
    """Clients in these may not call, be they allowed or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Whom a request comes from."""

    address: str
    """In its shortest form, IPv4 for an IPv4-mapped one; empty where the peer has none."""
    network: str
    """What limits count by: the address, of IPv6 its /64."""
    allowed: bool
    scheme: str = ""
    """`http` or `https`, as a trusted proxy says; empty where none does."""


class Clients:
    """Finds the client of a request; remembers what it has found for as long as there is room."""

    def __init__(self, networks: ClientNetworks) -> None:
        self._networks = networks
        self._trusted = networks.trusted_proxies
        self._header = networks.header.lower().encode("ascii")
        self._peers: dict[str, Client] = {}
        self._proxies: dict[str, Address] = {}
        """Peers that are trusted."""
        self._behind: dict[tuple[str, bytes, bytes], Client] = {}

    def find(self, peer: str, fields: Mapping[bytes, bytes]) -> Client:
        """Return the client of a request that `peer` has sent with these header fields."""
        client = self._peers.get(peer)
        if client is None:
            client = self._meet(peer)
        if self._proxies and peer in self._proxies:
            forwarded = fields.get(self._header)
            if forwarded is not None:
                return self._client_behind(peer, forwarded, fields.get(b"x-forwarded-proto", b""))
        return client

    def _meet(self, peer: str) -> Client:
        address = parse_address(peer)
        client = self._client(address, peer)
        if len(self._peers) >= MAX_REMEMBERED:
            self._peers.clear()
            self._proxies.clear()
        self._peers[peer] = client
        if address is not None and _within(address, self._trusted):
            self._proxies[peer] = address
        return client

    def _client_behind(self, peer: str, forwarded: bytes, proto: bytes) -> Client:
        key = (peer, forwarded, proto)
        client = self._behind.get(key)
        if client is not None:
            return client
        text, scheme = forwarded.decode("latin-1"), proto.decode("latin-1")
        hops = _elements(text) if self._header == b"forwarded" else _entries(text, scheme)
        address, seen = self._walk(self._proxies[peer], hops)
        client = self._client(address, str(address), seen if seen in ("http", "https") else "")
        if len(forwarded) + len(proto) <= MAX_REMEMBERED_BYTES:
            if len(self._behind) >= MAX_REMEMBERED:
                self._behind.clear()
            self._behind[key] = client
        return client

    def _walk(self, address: Address, hops: Iterator[tuple[str, str]]) -> tuple[Address, str]:
        """Follow the hops from the peer towards the client, as far as they are known."""
        scheme = ""
        for entry, seen in hops:
            hop = parse_address(entry)
            if hop is None:  # `unknown`, or a name that hides one: nobody further away can be told
                break
            address, scheme = hop, seen or scheme
            if not _within(hop, self._trusted):
                break
        return address, scheme

    def _client(self, address: Address | None, text: str, scheme: str = "") -> Client:
        networks = self._networks
        if address is None:
            return Client(address=text, network=text, allowed=not networks.allowed, scheme=scheme)
        allowed = not networks.allowed or _within(address, networks.allowed)
        allowed = allowed and not _within(address, networks.denied)
        return Client(address=str(address), network=_limited(address), allowed=allowed, scheme=scheme)


def parse_address(text: str) -> Address | None:
    """Read an address, which may carry a port; None for anything else, also one with a zone.

    >>> str(parse_address("[::ffff:192.0.2.7]:4711"))
    '192.0.2.7'
    """
    text = text.strip()
    bare = _WITH_PORT.fullmatch(text)
    if bare is not None:
        text = bare[1] or bare[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id is not None else address.ipv4_mapped or address
    return address


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks and addresses, separated by commas; raises `ValueError` that names the wrong one.

    >>> parse_networks("10.0.0.0/8, 192.0.2.7")
    (IPv4Network('10.0.0.0/8'), IPv4Network('192.0.2.7/32'))
    """
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _network(text: str) -> Network:
    example = "such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7"
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"must be networks {example}, separated by commas: {error}") from error
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError(f"must name IPv4 networks as such, {example}, not {text!r}")
    return network


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _limited(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))


def _entries(text: str, scheme: str) -> Iterator[tuple[str, str]]:
    """X-Forwarded-For from its end, each entry with what X-Forwarded-Proto ends with."""
    scheme = scheme.rpartition(",")[2].strip().lower()
    for entry in reversed(text.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        yield entry, scheme


def _elements(text: str) -> Iterator[tuple[str, str]]:
    """`for` and `proto` of the elements of Forwarded (RFC 7239) from its end.

    From the end, since whatever a client began, such as a quote, must not swallow what a proxy has added.
    """
    element = ""
    for part in reversed(text.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        element = f"{part},{element}" if element else part
        if not element.strip():
            element = ""
        elif _ELEMENT.fullmatch(element):
            found = {name.lower(): quoted or token for name, quoted, token in _PARAMETER.findall(element)}
            yield found.get("for", ""), found.get("proto", "").lower()
            element = ""
