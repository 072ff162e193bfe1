"""Access and refresh tokens: issued at sign-in, renewed by rotation, revoked one by one or by family."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from dhatu_gateway.auth import api_keys, users
from dhatu_gateway.auth.base62 import random_text
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.identity import family_id, key_id
from dhatu_gateway.auth.jwt import AccessTokens, Claims
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.records import AuditEntry, RefreshToken
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.core.exchange import Principal

ID_LENGTH = 16
SECRET_LENGTH = 32
JTI_LENGTH = 22
REFRESH_FORM = re.compile(r"dhr_([0-9A-Za-z]{16})_[0-9A-Za-z]{32}", re.ASCII)

INVALID = "The refresh token is unknown, expired or revoked; sign in again."
REVOKED = "Access has been revoked by an operator."
REUSED = (
    "The refresh token has been used before, so every token of this sign-in has been revoked; sign in again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What a sign-in or a renewal yields."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    scopes: frozenset[str]


class Holders:
    """Finds whom tokens were issued to, as they are now."""

    def __init__(
        self, store: CredentialStore, roles: Roles, providers: Collection[str] = frozenset()
    ) -> None:
        """`providers` are those at which people may sign in now; whoever came by another has to leave."""
        self._store = store
        self._roles = roles
        self._providers = providers

    async def find(self, subject: str, *, now_s: float) -> Principal | None:
        """The principal of an id; None where the key has ended or the user is not let in any more."""
        kind, _, name = subject.partition(":")
        if kind == "oidc":
            return await self._find_external(subject, name.partition(":")[0], now_s=now_s)
        if kind == "key":
            key = await self._store.find_key(name)
            return (
                None if key is None or key.ends_by(now_s) else self._roles.expand(api_keys.principal_of(key))
            )
        user = await self._store.find_user(name)
        return None if user is None or user.disabled else self._roles.expand(users.principal_of(user))

    async def _find_external(self, subject: str, provider: str, *, now_s: float) -> Principal | None:
        user = await self._store.find_external_user(subject) if provider in self._providers else None
        if user is None or user.valid_until_s <= now_s:
            return None
        found = Principal(id=subject, kind="oidc", scopes=user.scopes, roles=user.roles)
        return self._roles.expand(found)


class Tokens:
    """Issues, renews and revokes tokens; times are seconds since the epoch."""

    def __init__(
        self,
        store: CredentialStore,
        access: AccessTokens,
        holders: Holders,
        hash_key: bytes,
        on_revoked: Callable[[str], None],
    ) -> None:
        """`on_revoked` is told every revoked id, so that caches forget it."""
        self._store = store
        self._access = access
        self._holders = holders
        self._policy = access.policy
        self._hash_key = hash_key
        self._on_revoked = on_revoked

    async def issue(self, principal: Principal, *, now_s: float, family: str | None = None) -> TokenPair:
        """Start a family: the first tokens of a sign-in.

        Raises `InvalidCredentialError` for somebody whose tokens have all been revoked.
        """
        if await self._store.is_revoked((principal.id,)):
            raise InvalidCredentialError(REVOKED)
        return await self._issue(principal, family=family or random_text(ID_LENGTH), now_s=now_s)

    async def refresh(self, value: str, *, now_s: float) -> TokenPair:
        """Trade a refresh token for the next pair.

        The scopes stay those of the sign-in, less what the user or key has lost since. A token that comes
        twice ends its whole family (RFC 9700 section 4.14.2). Raises `InvalidCredentialError`.
        """
        token = await self._find(value)
        if token is None or token.expires_at_s <= now_s:
            raise InvalidCredentialError(INVALID)
        if not await self._store.spend_refresh_token(token.id, now_s=now_s):
            await self._revoke(family_id(token.family), now_s=now_s)
            raise InvalidCredentialError(REUSED)
        # After the spending, so that a family revoked by a second use cannot issue one more pair.
        if await self._store.is_revoked((family_id(token.family), token.subject)):
            raise InvalidCredentialError(INVALID)
        holder = await self._holders.find(token.subject, now_s=now_s)
        if holder is None:
            raise InvalidCredentialError(INVALID)
        narrowed = replace(holder, scopes=holder.scopes & token.scopes)
        return await self._issue(narrowed, family=token.family, now_s=now_s)

    async def revoke(self, value: str, *, now_s: float) -> None:
        """End an access token alone, a refresh token with its family; ignore anything else (RFC 7009)."""
        if value.startswith("dhr_"):
            token = await self._find(value)
            if token is not None:
                await self._revoke(family_id(token.family), now_s=now_s)
            return
        try:
            identity = self._access.verify(value.encode(), now_s=now_s)
        except InvalidCredentialError:
            return
        await self._revoke(identity.revocation_ids[0], now_s=now_s)

    async def revoke_key(self, key: str, *, actor: str, now_s: float) -> bool:
        """End an API key and every token that was issued for it; False where there is no such key."""
        entry = AuditEntry(at_s=now_s, actor=actor, act="key.revoke", target=key_id(key))
        found = await self._store.revoke_key(key, entry)
        if found:
            await self._revoke(key_id(key), now_s=now_s)
        return found

    async def revoke_family(self, family: str, *, now_s: float) -> None:
        """End every token that grew from one sign-in."""
        await self._revoke(family_id(family), now_s=now_s)

    async def _issue(self, principal: Principal, *, family: str, now_s: float) -> TokenPair:
        id_ = random_text(ID_LENGTH)
        value = f"dhr_{id_}_{random_text(SECRET_LENGTH)}"
        await self._store.add_refresh_token(
            RefreshToken(
                id=id_,
                digest=self._digest(value),
                family=family,
                subject=principal.id,
                scopes=principal.scopes,
                created_at_s=now_s,
                expires_at_s=now_s + self._policy.refresh_lifetime_s,
            )
        )
        claims = Claims(principal=principal, jti=random_text(JTI_LENGTH), family=family)
        return TokenPair(
            access_token=self._access.sign(claims, now_s=now_s),
            refresh_token=value,
            expires_in_s=self._policy.access_lifetime_s,
            scopes=principal.scopes,
        )

    async def _find(self, value: str) -> RefreshToken | None:
        form = REFRESH_FORM.fullmatch(value)
        token = await self._store.find_refresh_token(form[1]) if form is not None else None
        if token is None or not hmac.compare_digest(self._digest(value), token.digest):
            return None
        return token

    async def _revoke(self, revocation_id: str, *, now_s: float) -> None:
        until_s = now_s + self._policy.revoked_for_s
        await self._store.revoke((revocation_id,), now_s=now_s, until_s=until_s)
        self._on_revoked(revocation_id)

    def _digest(self, value: str) -> bytes:
        return hmac.digest(self._hash_key, value.encode(), hashlib.sha256)
