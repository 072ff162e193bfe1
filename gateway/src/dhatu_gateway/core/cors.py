"""Cross-origin requests (the Fetch standard, section 3.3): what browsers are told, decided at boot."""

from __future__ import annotations

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.types import Cors


class CrossOrigin:
    """Answers preflights and marks answers as readable by pages of the allowed origins."""

    def __init__(self, cors: Cors) -> None:
        self._any_origin = "*" in cors.allow_origins
        self._origins = frozenset(origin.encode("ascii") for origin in cors.allow_origins)
        self._preflight: tuple[Header, ...] = (
            (b"access-control-allow-headers", ", ".join(cors.allow_headers).encode("ascii")),
            (b"access-control-max-age", str(cors.max_age_s).encode("ascii")),
        )
        exposed = ", ".join(cors.expose_headers).encode("ascii")
        self._exposed: tuple[Header, ...] = ((b"access-control-expose-headers", exposed),) if exposed else ()

    def mark(self, exchange: Exchange, origin: bytes) -> None:
        """Add to the answer of a request from `origin` what lets its page read it."""
        allowed, headers = self._decide(origin)
        exchange.response_headers += headers
        if allowed:
            exchange.response_headers += self._exposed

    def preflight(self, origin: bytes, allow: bytes) -> list[Header]:
        """Return the headers of the answer to a preflight; `allow` lists the methods of the resource."""
        allowed, headers = self._decide(origin)
        if not allowed:
            return [*headers]
        return [*headers, (b"access-control-allow-methods", allow), *self._preflight]

    def _decide(self, origin: bytes) -> tuple[bool, tuple[Header, ...]]:
        if self._any_origin:
            return True, ((b"access-control-allow-origin", b"*"),)
        if origin in self._origins:
            return True, ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))
        return False, ((b"vary", b"Origin"),)
