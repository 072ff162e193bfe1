"""Passwords, kept as scrypt (RFC 7914) output."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

SALT_BYTES = 16
KEY_BYTES = 32
MAX_MEMORY_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one guess costs: `128 * r * 2**log2_n` bytes of memory, `p` times over.

    The default is OWASP's recommendation for 32 MiB (Password Storage Cheat Sheet): some 0.2 s of one core.
    """

    log2_n: int = 15
    r: int = 8
    p: int = 3


class Passwords:
    """Derives and checks passwords in threads, few at a time, to bound the memory and cores they take."""

    def __init__(self, cost: Cost | None = None, *, at_once: int = 2) -> None:
        self._cost = cost or Cost()
        self._turn = asyncio.Semaphore(at_once)
        # What an unknown user's password is compared with, so that the answer takes as long as for a known
        # one.
        self._decoy = _encode(self._cost, secrets.token_bytes(SALT_BYTES), secrets.token_bytes(KEY_BYTES))

    async def derive(self, password: str) -> str:
        """What to store: `scrypt$15$8$3$<salt>$<key>`, salt and key in base64url."""
        salt = secrets.token_bytes(SALT_BYTES)
        async with self._turn:
            key = await asyncio.to_thread(_scrypt, password, salt, self._cost)
        return _encode(self._cost, salt, key)

    async def matches(self, password: str, stored: str | None) -> bool:
        """True where the password is the stored one; None stands for a user that does not exist."""
        _, log2_n, r, p, salt, key = (stored or self._decoy).split("$")
        cost = Cost(log2_n=int(log2_n), r=int(r), p=int(p))
        async with self._turn:
            actual = await asyncio.to_thread(_scrypt, password, base64.urlsafe_b64decode(salt), cost)
        return hmac.compare_digest(actual, base64.urlsafe_b64decode(key)) and stored is not None


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=2**cost.log2_n,
        r=cost.r,
        p=cost.p,
        maxmem=MAX_MEMORY_BYTES,
        dklen=KEY_BYTES,
    )


def _encode(cost: Cost, salt: bytes, key: bytes) -> str:
    parts = (base64.urlsafe_b64encode(salt).decode(), base64.urlsafe_b64encode(key).decode())
    return f"scrypt${cost.log2_n}${cost.r}${cost.p}${parts[0]}${parts[1]}"
