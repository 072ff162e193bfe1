"""What a browser carries for the gateway while somebody signs in: readable and writable by the gateway alone.

Nothing is stored for a login that has only begun, so nobody can fill the store by beginning many.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar

import orjson
from cryptography.fernet import Fernet, InvalidToken

SKEW_S = 60
"""Fernet takes what was sealed by a clock that is so far ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A login that has begun; kept in a cookie of the browser that began it."""

    provider: str
    state: str
    nonce: str
    verifier: str
    """Of PKCE towards the provider (RFC 7636)."""
    return_to: str | None
    """None where the tokens are the answer of the callback itself."""
    challenge: str | None
    """SHA-256 of the page's secret; there where `return_to` is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginCode:
    """What a page trades for tokens."""

    subject: str
    family: str
    """Of the tokens to come; so a code that comes twice ends what it yielded."""
    challenge: str


T = TypeVar("T", bound=Attempt | LoginCode)


class Seal(Generic[T]):
    """Encrypts and signs one kind of thing, which holds for `lifetime_s`."""

    def __init__(self, kind: type[T], key: bytes, *, lifetime_s: int) -> None:
        """`key` has 32 bytes and belongs to this kind alone."""
        self.lifetime_s = lifetime_s
        self._kind: Callable[..., T] = kind
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def close(self, thing: T, *, now_s: float) -> str:
        """Write it in base64url, without the padding that a query would have to escape."""
        sealed = self._fernet.encrypt_at_time(orjson.dumps(asdict(thing)), int(now_s))
        return sealed.rstrip(b"=").decode("ascii")

    def open(self, text: str, *, now_s: float) -> T | None:
        """Read what `close` wrote; None for anything else, and when it has ended."""
        try:
            padded = text + "=" * (-len(text) % 4)
            content = self._fernet.decrypt_at_time(padded.encode(), self.lifetime_s, int(now_s))
            return self._kind(**orjson.loads(content))
        except (InvalidToken, TypeError, UnicodeEncodeError):
            # TypeError: another version of the gateway wrote other members.
            return None

    def over_at_s(self, *, now_s: float) -> float:
        """When nothing that holds now holds any more."""
        return now_s + self.lifetime_s + SKEW_S
