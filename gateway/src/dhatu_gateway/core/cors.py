"""Cross-origin requests (the Fetch standard, section 3.3): what browsers are told, decided at boot."""

from __future__ import annotations

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.types import Cors, Route

_VARY: Header = (b"vary", b"Origin")
_ANY: Header = (b"access-control-allow-origin", b"*")


class CrossOrigin:
    """Answers preflights and marks answers as readable by pages of the allowed origins.

    Raises `ValueError` for rules that no browser obeys, or that let in anybody's sandboxed frame.
    """

    def __init__(self, cors: Cors) -> None:
        listed = (*cors.allow_origins, *cors.allow_headers, *cors.expose_headers)
        if "null" in cors.allow_origins or (cors.allow_credentials and "*" in listed):
            raise ValueError("cross-origin rules: no origin may be null, and nothing * with credentials")
        self._any_origin = "*" in cors.allow_origins
        self._origins = frozenset(origin.encode("ascii") for origin in cors.allow_origins)
        shared: list[Header] = [(b"access-control-allow-credentials", b"true")] * cors.allow_credentials
        self._preflight = (
            *shared,
            (b"access-control-allow-headers", ", ".join(cors.allow_headers).encode("ascii")),
            (b"access-control-max-age", str(cors.max_age_s).encode("ascii")),
        )
        exposed = ", ".join(cors.expose_headers).encode("ascii")
        self._exposed = (*shared, (b"access-control-expose-headers", exposed)) if exposed else (*shared,)

    def mark(self, exchange: Exchange) -> None:
        """Add to an answer what lets a page read it; a stage of every operation.

        Where the answer depends on the origin, caches learn so also from answers to requests without one.
        """
        origin = exchange.fields.get(b"origin")
        if origin is None:
            if self._origins and not self._any_origin:
                exchange.response_headers.append(_VARY)
            return
        allowed, headers = self._decide(origin)
        exchange.response_headers += headers
        if allowed:
            exchange.response_headers += self._exposed

    def allows(self, origin: bytes) -> bool:
        """Whether pages of this origin may call."""
        return self._any_origin or origin in self._origins

    def preflight(self, origin: bytes, allow: bytes) -> list[Header]:
        """Return the headers of the answer to a preflight; `allow` lists the methods under these rules."""
        allowed, headers = self._decide(origin)
        if not allowed:
            return [*headers]
        return [*headers, (b"access-control-allow-methods", allow), *self._preflight]

    def _decide(self, origin: bytes) -> tuple[bool, tuple[Header, ...]]:
        if self._any_origin:
            return True, (_ANY,)
        if origin in self._origins:
            return True, ((b"access-control-allow-origin", origin), _VARY)
        return False, (_VARY,) if self._origins else ()


class CrossOrigins:
    """The rules of every operation; equal ones are one object."""

    def __init__(self, platform: Cors) -> None:
        self.platform = CrossOrigin(platform)
        """Of whatever is no operation."""
        self._made = {platform: self.platform}

    def of(self, route: Route) -> CrossOrigin:
        if route.cors is None:
            return self.platform
        made = self._made.get(route.cors)
        if made is None:
            made = self._made[route.cors] = CrossOrigin(route.cors)
        return made
