"""Who may connect, and how much and how slowly they may send."""

from __future__ import annotations

from dhatu_gateway.core.clients import (
    FORWARDING_HEADERS,
    ClientNetworks,
    ForwardingHeader,
    parse_networks,
)
from dhatu_gateway.core.lifecycle import Drain
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.settings.reader import Reader, between


def read_clients(reader: Reader) -> ClientNetworks:
    """Whose word counts on where a request comes from, and from where requests are taken."""
    return ClientNetworks(
        trusted_proxies=reader.value("GATEWAY_TRUSTED_PROXIES", "", parse_networks),
        header=reader.value("GATEWAY_FORWARDING_HEADER", "X-Forwarded-For", _forwarding_header),
        allowed=reader.value("GATEWAY_ALLOWED_NETWORKS", "", parse_networks),
        denied=reader.value("GATEWAY_DENIED_NETWORKS", "", parse_networks),
    )


def read_connections(reader: Reader) -> ServerLimits:
    """What clients may send, and how slowly; the bounds keep out what would be no limit, or no service."""

    def number(variable: str, default: float, least: int, most: int) -> int:
        return reader.value(variable, str(int(default)), between(least, most))

    usual = ServerLimits()
    return ServerLimits(
        max_target_bytes=number("GATEWAY_MAX_TARGET_BYTES", usual.max_target_bytes, 256, 1_048_576),
        max_header_bytes=number("GATEWAY_MAX_HEADER_BYTES", usual.max_header_bytes, 1_024, 1_048_576),
        max_headers=number("GATEWAY_MAX_HEADERS", usual.max_headers, 8, 10_000),
        header_timeout_s=number("GATEWAY_HEADER_TIMEOUT_S", usual.header_timeout_s, 1, 3_600),
        body_grace_s=number("GATEWAY_BODY_GRACE_S", usual.body_grace_s, 1, 3_600),
        min_body_bytes_per_s=number(
            "GATEWAY_MIN_BODY_BYTES_PER_S", usual.min_body_bytes_per_s, 1, 1_000_000_000
        ),
        keep_alive_s=number("GATEWAY_KEEP_ALIVE_S", usual.keep_alive_s, 1, 3_600),
        write_stall_s=number("GATEWAY_WRITE_STALL_S", usual.write_stall_s, 1, 3_600),
    )


def read_drain(reader: Reader) -> Drain:
    """How the processes end."""
    return Drain(
        delay_s=reader.value("GATEWAY_DRAIN_DELAY_S", "0", between(0, 3_600)),
        grace_s=reader.value("GATEWAY_DRAIN_S", "25", between(0, 86_400)),
    )


def _forwarding_header(text: str) -> ForwardingHeader:
    for header in FORWARDING_HEADERS:
        if text.lower() == header.lower():
            return header
    raise ValueError(f"must be {' or '.join(FORWARDING_HEADERS)}, not {text!r}")
