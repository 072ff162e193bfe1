"""Which headers cross the gateway, in both directions, besides what concerns one connection only."""

from __future__ import annotations

from collections.abc import Iterable

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.headers import REQUEST_DROPPED, connection_options
from dhatu_gateway.core.types import Platform

MAX_REMEMBERED = 4_096

# Written by the gateway; what a client claims about itself here is worth nothing.
_REPLACED = frozenset(
    {
        b"forwarded",
        b"x-client-ip",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-original-url",
        b"x-real-ip",
        b"x-request-id",
        b"x-rewrite-url",
    }
)
_PROTO_HTTP: Header = (b"x-forwarded-proto", b"http")
_PROTO_HTTPS: Header = (b"x-forwarded-proto", b"https")
# Of an answer; each is the gateway's to say.
_ANSWERED_BY_GATEWAY = frozenset(
    {b"date", b"server", b"x-request-id", b"ratelimit", b"ratelimit-policy", b"deprecation", b"sunset"}
)


class _Decisions(dict[bytes, bool]):
    """Remembers per name whether a header is kept: a request has ten headers, but the names repeat."""

    def __init__(self, dropped: Iterable[bytes], dropped_prefix: bytes, kept: Iterable[bytes]) -> None:
        super().__init__()
        self._dropped = frozenset(dropped)
        self._dropped_prefix = dropped_prefix
        self._kept = frozenset(kept)

    def __missing__(self, name: bytes) -> bool:
        # Servers that turn `-` into `_` cannot tell x_dhatu_principal from x-dhatu-principal.
        kept = name not in self._dropped and not name.startswith(self._dropped_prefix) and b"_" not in name
        kept = kept or name in self._kept
        if len(self) < MAX_REMEMBERED:
            self[name] = kept
        return kept


class ForwardedHeaders:
    """What a service sees of a request's headers, and a client of an answer's."""

    def __init__(self, platform: Platform) -> None:
        prefix = platform.header_prefix.lower().encode("ascii")
        credentials = {scheme.parameter.lower().encode("ascii") for scheme in platform.security_schemes}
        # All of the platform's own headers are dropped, so that nobody can claim to be a principal; the only
        # one that the service may want from the client is the number of the attempt.
        dropped = REQUEST_DROPPED | _REPLACED | {b"authorization"} | (credentials - {b"cookie"})
        self._request = _Decisions(dropped, prefix, (prefix + b"attempt",))
        self._response = _Decisions(_ANSWERED_BY_GATEWAY, b"access-control-", ())
        self._timeout = prefix + b"timeout-ms"
        self._principal = prefix + b"principal"

    def to_service(self, exchange: Exchange, now_s: float) -> list[Header]:
        """Return the headers of the request to the service."""
        kept = self._request
        headers = [header for header in exchange.headers if kept[header[0]]]
        fields = exchange.fields
        connection = fields.get(b"connection")
        if connection is not None:
            named = connection_options(connection)
            headers = [header for header in headers if header[0] not in named]
        left_ms = max(1, int((exchange.deadline_at_s - now_s) * 1000))
        headers += (
            (b"x-request-id", exchange.request_id.encode("ascii")),
            (b"x-forwarded-for", exchange.client_address.encode("ascii")),
            _PROTO_HTTPS if exchange.scope["scheme"] == "https" else _PROTO_HTTP,
            (b"x-forwarded-host", fields.get(b"host", b"")),
            (self._timeout, b"%d" % left_ms),
        )
        principal = exchange.principal
        if principal is not None and principal.id.isascii() and principal.id.isprintable():
            headers.append((self._principal, principal.id.encode("ascii")))
        return headers

    def to_client(self, headers: list[Header], exchange: Exchange) -> list[Header]:
        """Return the headers of the answer to the client."""
        kept = self._response
        answer = [header for header in headers if kept[header[0]]]
        answer += exchange.response_headers
        return answer
