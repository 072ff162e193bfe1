"""Logins on their way: begun in a browser, sent to the provider, and finished once by that same browser."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from dhatu_gateway.auth.base62 import random_text
from dhatu_gateway.auth.login.errors import LoginError
from dhatu_gateway.auth.login.sealed import Attempt, Seal
from dhatu_gateway.auth.store.interface import CredentialStore

STATE = re.compile(r"[0-9A-Za-z]{43}", re.ASCII)
SECRET_LENGTH = 43
"""Of state, nonce and verifier: 256 bits."""
NAMED_BY = 8
"""Characters of the state that name its cookie, so that logins in several tabs have one each."""
ATTEMPT_S = 600
"""How long somebody may take to sign in at the provider."""

FOREIGN = "This login was not begun in this browser, or took longer than 10 minutes; begin again."
USED = "This login has been finished before; begin again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """What a browser keeps for one login."""

    name: str
    value: str
    """Empty takes it away."""
    secure: bool

    @property
    def header(self) -> str:
        """The value of Set-Cookie; `Lax`, since the provider's site sends the browser back."""
        age_s = ATTEMPT_S if self.value else 0
        secure = "; Secure" if self.secure else ""
        return f"{self.name}={self.value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}"


def begin(provider: str, *, return_to: str | None, challenge: str | None) -> Attempt:
    """Draw the secrets of a new login."""
    return Attempt(
        provider=provider,
        state=random_text(SECRET_LENGTH),
        nonce=random_text(SECRET_LENGTH),
        verifier=random_text(SECRET_LENGTH),
        return_to=return_to,
        challenge=challenge,
    )


def cookie_of(attempt: Attempt, value: str, *, secure: bool) -> Cookie:
    """The cookie of a login; under https no other host, not even a neighbour, can set one of this name."""
    return Cookie(name=cookie_name(attempt.state, secure=secure), value=value, secure=secure)


def cookie_name(state: str, *, secure: bool) -> str:
    """Where the browser keeps a login (RFC 6265bis section 4.1.3.2)."""
    return f"{'__Host-' if secure else ''}dhatu-login-{state[:NAMED_BY]}"


async def take(
    provider: str,
    state: str,
    cookie: str | None,
    *,
    seal: Seal[Attempt],
    store: CredentialStore,
    now_s: float,
) -> Attempt:
    """The login that a browser comes back with, once; raises `LoginError`."""
    attempt = seal.open(cookie, now_s=now_s) if cookie is not None else None
    if (
        attempt is None
        or attempt.provider != provider
        or not hmac.compare_digest(attempt.state.encode(), state.encode())
    ):
        raise LoginError(FOREIGN)
    if not await store.spend(f"login:{state}", now_s=now_s, until_s=seal.over_at_s(now_s=now_s)):
        raise LoginError(USED)
    return attempt
