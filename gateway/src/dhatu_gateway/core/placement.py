"""What of a request decides which endpoint it goes to: its key for a consistent hash, and its subset."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.upstream.policy import Balance, Hash, Subset
from dhatu_gateway.core.upstream.types import UpstreamRequest

Place = Callable[[Exchange, UpstreamRequest], None]
"""Marks the request to the service with what the exchange says."""


def build_placement(balance: Balance, random: Callable[[], float]) -> Place | None:
    """None where every request may go anywhere; `random` yields floats in [0, 1)."""
    key = _key(balance.hash) if balance.hash is not None else None
    if not balance.subsets:
        if key is None:
            return None

        def place_by_key(exchange: Exchange, request: UpstreamRequest) -> None:
            request.affinity = key(exchange)

        return place_by_key
    subset = _subset(balance.subsets, random)

    def place(exchange: Exchange, request: UpstreamRequest) -> None:
        request.subset = subset(exchange)
        if key is not None:
            request.affinity = key(exchange)

    return place


def _key(hashed: Hash) -> Callable[[Exchange], bytes]:
    name = hashed.name.encode("ascii")
    if hashed.by == "network":
        return lambda exchange: exchange.client_network.encode("ascii")
    if hashed.by == "header":
        field = name.lower()
        return lambda exchange: exchange.fields.get(field) or exchange.client_network.encode("ascii")
    return lambda exchange: (
        cookie(exchange.fields.get(b"cookie", b""), name) or exchange.client_network.encode("ascii")
    )


def cookie(field: bytes, name: bytes) -> bytes:
    """The value of a cookie in the field Cookie (RFC 6265 section 4.2.1); empty where it is not there.

    >>> cookie(b"theme=dark; session=4f1c", b"session")
    b'4f1c'
    """
    for pair in field.split(b";"):
        key, _, value = pair.strip().partition(b"=")
        if key == name:
            return value
    return b""


def _subset(subsets: Sequence[Subset], random: Callable[[], float]) -> Callable[[Exchange], str]:
    rules = [
        (subset.tag, subset.header.lower().encode("ascii"), subset.value.encode("latin-1"), subset.share)
        for subset in subsets
    ]

    def choose(exchange: Exchange) -> str:
        fields = exchange.fields
        for tag, header, value, share in rules:
            if header:
                found = fields.get(header)
                if found is not None and (not value or found == value):
                    return tag
            elif random() < share:
                return tag
        return ""

    return choose
