"""The certificate that a client has shown; believed before this is made of it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from dhatu_gateway.core.exchange import Principal

PEER_KEY = "dhatu.peer"
"""Where the certificate is in the ASGI scope, on a connection whose client has shown one."""


class PeerCertificate:
    """Read once for each connection; who it stands for is remembered here for a while."""

    __slots__ = ("names", "not_after_s", "principal", "valid_until_s")

    def __init__(self, names: frozenset[tuple[str, str]], not_after_s: float) -> None:
        self.names = names
        """Of subjectAltName, never the common name: kind (`DNS`, `URI`, `email`) and value."""
        self.not_after_s = not_after_s
        """Seconds since the epoch."""
        self.principal: Principal | None = None
        """Who it stands for, as far as that has been found out."""
        self.valid_until_s = 0.0
        """On the monotonic clock: how long `principal` holds without another look."""


def peer_certificate(peer: Mapping[str, Any] | None) -> PeerCertificate | None:
    """Read what `SSLObject.getpeercert` says; None where the client has shown nothing that was verified."""
    if not peer:
        return None
    names: tuple[tuple[str, Any], ...] = peer.get("subjectAltName", ())
    return PeerCertificate(
        frozenset((kind, value) for kind, value in names if isinstance(value, str)),
        float(ssl.cert_time_to_seconds(peer["notAfter"])),
    )
