"""Who is counted: from an exchange to the key of a limit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.types import RateLimit

KeyOf: TypeAlias = Callable[[Exchange], str | None]
"""The caller as a limit counts it; None where the limit does not count the call."""

MAX_PLAIN = 64
"""Longer values of headers are counted by their digest: their size is the caller's to choose."""


def key_of(limit: RateLimit) -> KeyOf:
    """Choose at boot whom a limit counts, and how it tells them apart."""
    key = _key_by(limit)
    wanted, others = frozenset(limit.roles), frozenset(limit.except_roles)
    if not wanted and not others:
        return key

    def key_of_some(exchange: Exchange) -> str | None:
        principal = exchange.principal
        roles = principal.roles if principal is not None else frozenset[str]()
        if (wanted and wanted.isdisjoint(roles)) or not others.isdisjoint(roles):
            return None
        return key(exchange)

    return key_of_some


def _key_by(limit: RateLimit) -> KeyOf:
    match limit.by:
        case "principal":
            return _principal
        case "key":
            return _key
        case "address":
            return _address
        case "operation" | "service":
            return _everybody
        case "header":
            return _header(limit.header.lower().encode("ascii"))


def _principal(exchange: Exchange) -> str:
    # The ids of principals hold a prefix (`user:`), so that they cannot meet an address.
    return exchange.principal.id if exchange.principal is not None else exchange.client_network


def _key(exchange: Exchange) -> str | None:
    """Calls without an API key are another limit's affair."""
    principal = exchange.principal
    return principal.id if principal is not None and principal.kind == "api_key" else None


def _address(exchange: Exchange) -> str:
    return exchange.client_network


def _everybody(exchange: Exchange) -> str:
    return ""


def _header(name: bytes) -> KeyOf:
    """Calls without the header are counted together, so that leaving it out gains nothing."""

    def header(exchange: Exchange) -> str:
        value = exchange.fields.get(name, b"")
        if len(value) > MAX_PLAIN:
            return "sha256:" + hashlib.sha256(value).hexdigest()
        return value.decode("latin-1")

    return header
