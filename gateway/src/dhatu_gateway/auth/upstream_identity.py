"""Tells services who calls, in a way that nobody on their network can forge.

The value of `X-Dhatu-Identity` is a JSON Web Token for one service. It is signed by the current key of access
tokens where that has a public half, so that services verify it with the published keys; otherwise by a secret
of the service's own, derived from the shared one: whoever has it forges neither access tokens nor identities
for other services.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import jwt

from dhatu_gateway.auth.key_ring import KeyRing
from dhatu_gateway.core.exchange import Principal

TYPE = "identity+jwt"
"""Keeps it from passing for an access token, and an access token from passing for it."""
LIFETIME_S = 60
RENEWED_AFTER_S = 30.0
"""How long one token is sent again, for a signature is dearer than all else that happens to a request."""
MAX_REMEMBERED = 10_000

Identify = Callable[[Principal, float], bytes]
"""The value of the header for a caller; the second argument is monotonic time."""


class UpstreamIdentity:
    """Signs identities for services."""

    def __init__(self, keys: KeyRing, issuer: str, wall_clock: Callable[[], float]) -> None:
        self._keys = keys
        self._issuer = issuer
        self._wall_clock = wall_clock

    def for_service(self, service: str) -> Identify:
        """What is sent to one service; made at boot. Remembers the newest token of each caller."""
        remembered: dict[Principal, tuple[bytes, float]] = {}

        def identify(principal: Principal, now_s: float) -> bytes:
            known = remembered.get(principal)
            if known is not None and known[1] > now_s:
                return known[0]
            value = self._sign(principal, service)
            remembered.pop(principal, None)
            if len(remembered) >= MAX_REMEMBERED:
                del remembered[next(iter(remembered))]
            remembered[principal] = (value, now_s + RENEWED_AFTER_S)
            return value

        return identify

    def _sign(self, principal: Principal, service: str) -> bytes:
        issued_at = int(self._wall_clock())
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": service,
            "sub": principal.id,
            "iat": issued_at,
            "exp": issued_at + LIFETIME_S,
            "scope": " ".join(sorted(principal.scopes)),
            "roles": sorted(principal.roles),
        }
        key = self._keys.signing
        headers = {"typ": TYPE} | ({"kid": key.verification.kid} if key.verification.kid is not None else {})
        signing = key.signing
        if isinstance(signing, bytes):
            signing = service_secret(signing, service).encode()
        return jwt.encode(payload, signing, algorithm=key.verification.algorithm, headers=headers).encode()


def service_secret(secret: bytes, service: str) -> str:
    """The secret that a service verifies identities with: HMAC-SHA256 of its name, in hexadecimal."""
    return hmac.new(secret, f"{TYPE} {service}".encode(), hashlib.sha256).hexdigest()


def service_secrets(keys: KeyRing, service: str) -> list[str]:
    """One for each shared secret that is accepted, the current one first; none where all keys are public."""
    shared = (key.verifying for key in keys.accepted)
    return [service_secret(secret, service) for secret in shared if isinstance(secret, bytes)]
