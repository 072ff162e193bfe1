"""The header fields by which every answer tells browsers to be careful; written once, at boot."""

from __future__ import annotations

from collections.abc import Iterable

from dhatu_gateway.core.exchange import Header

# RFC 6797 section 7.2: never over plain HTTP, where anybody could have put it in.
_OVER_TLS_ONLY = "strict-transport-security"


class SecurityHeaders:
    """What platform.yaml asks for."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        lowered = [(name.lower(), value) for name, value in headers]
        self.over_tls: tuple[Header, ...] = tuple(
            (name.encode("ascii"), value.encode("ascii")) for name, value in lowered
        )
        self.over_http = tuple(header for header in self.over_tls if header[0] != _OVER_TLS_ONLY.encode())
