"""What a verified credential proves."""

from __future__ import annotations

from dataclasses import dataclass

from dhatu_gateway.core.exchange import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A caller, and how long and under which names the proof of it holds."""

    principal: Principal
    expires_at_s: float | None
    """Seconds since the epoch; None where the credential does not end by itself."""
    revocation_ids: tuple[str, ...]
    """Revoking any of these ends the credential: `token:<jti>`, `family:<id>`, `key:<id>`, `user:<name>`,
    `oidc:<provider>:<subject>`. The first one is of this credential alone, where it has such a name."""


def user_id(name: str) -> str:
    """The principal of a user, which is also the name under which all of the user's tokens are revoked."""
    return f"user:{name}"


def key_id(key: str) -> str:
    """The principal of an API key and of the tokens issued for it."""
    return f"key:{key}"


def provider_id(provider: str, subject: str) -> str:
    """The principal of somebody for whom an external provider vouches."""
    return f"oidc:{provider}:{subject}"


def certificate_id(name: str) -> str:
    """The principal of a client certificate."""
    return f"cert:{name}"


def family_id(family: str) -> str:
    """Every token that grew from one sign-in."""
    return f"family:{family}"


def token_id(jti: str) -> str:
    """One access token."""
    return f"token:{jti}"
