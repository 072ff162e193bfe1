"""A login from its beginning to the tokens, or to the code that a page trades for them."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dhatu_gateway.auth.base62 import random_text
from dhatu_gateway.auth.errors import InvalidCredentialError, StoreError
from dhatu_gateway.auth.login.attempts import STATE, Cookie, begin, cookie_name, cookie_of, take
from dhatu_gateway.auth.login.errors import Failure, LoginError
from dhatu_gateway.auth.login.party import RelyingParty, challenge_of, with_query
from dhatu_gateway.auth.login.sealed import Attempt, LoginCode, Seal
from dhatu_gateway.auth.records import ExternalUser
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.tokens import ID_LENGTH, REVOKED, Holders, TokenPair, Tokens
from dhatu_gateway.core.exchange import Principal

FORGED = "The browser came back with an answer that is no answer to a login; begin again."
MAX_SAID = 200
BAD_CODE = "The code of the login is wrong, has been used, or is older than a minute; begin again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    location: str
    cookie: Cookie


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a browser comes back with from the provider."""

    state: str
    code: str | None = field(repr=False)
    issuer: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The browser goes back to the page."""

    location: str


Outcome: TypeAlias = TokenPair | Returned | LoginError


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What logins are made of."""

    store: CredentialStore
    tokens: Tokens
    holders: Holders
    attempts: Seal[Attempt]
    codes: Seal[LoginCode]
    on_failure: Callable[[str, str], None]
    """Told the provider and why a login ended, for the log."""


class Logins:
    """Signs people in at the providers that have a login; times are seconds since the epoch."""

    def __init__(self, parties: Mapping[str, RelyingParty], parts: Parts) -> None:
        self.parties = parties
        self._parts = parts

    async def begin(self, name: str, *, return_to: str | None, challenge: str | None, now_s: float) -> Begun:
        """Send a browser to the provider; raises `LoginError` where it may not be sent there, or back."""
        party = self.parties[name]
        # Letter by letter (RFC 9700 section 4.1.3): whatever is cleverer can be outwitted.
        if return_to is not None and return_to not in party.login.return_urls:
            raise LoginError("return_to is none of the addresses that the operator allows.")
        if (return_to is None) != (challenge is None):
            raise LoginError("return_to and code_challenge belong together: send both, or neither.")
        attempt = begin(name, return_to=return_to, challenge=challenge)
        sealed = self._parts.attempts.close(attempt, now_s=now_s)
        return Begun(
            location=await party.authorization_url(attempt),
            cookie=cookie_of(attempt, sealed, secure=party.secure),
        )

    async def finish(
        self, name: str, callback: Callback, cookies: Mapping[str, str], *, now_s: float
    ) -> tuple[Outcome, Cookie]:
        """Take the provider's answer, once, and the cookie away.

        Raises `LoginError` for a browser that began no such login, and `StoreError`. What goes wrong after
        that is told to the page that waits, where one does.
        """
        party, parts = self.parties[name], self._parts
        if STATE.fullmatch(callback.state) is None:
            raise LoginError(FORGED)
        cookie = cookies.get(cookie_name(callback.state, secure=party.secure))
        attempt = await take(
            name, callback.state, cookie, seal=parts.attempts, store=parts.store, now_s=now_s
        )
        gone = cookie_of(attempt, "", secure=party.secure)
        try:
            return await self._verified(party, callback, attempt, now_s=now_s), gone
        except LoginError as error:
            parts.on_failure(name, _explained(error))
            if attempt.return_to is None:
                return error, gone
            return _returned(attempt.return_to, "login_error", error.failure), gone

    async def _verified(
        self, party: RelyingParty, callback: Callback, attempt: Attempt, *, now_s: float
    ) -> Outcome:
        await party.check_issuer(callback.issuer)
        if callback.error is not None:
            failure: Failure = "access_denied" if callback.error == "access_denied" else "login_failed"
            raise LoginError("The provider did not sign you in.", failure, said=callback.error)
        if not callback.code:
            raise LoginError("The provider sent no code.")
        person = await party.person(callback.code, attempt, now_s=now_s)
        parts = self._parts
        try:
            principal = await self._keep(person, party.login.session_s, now_s=now_s)
            if attempt.return_to is None or attempt.challenge is None:
                return await parts.tokens.issue(principal, now_s=now_s)
        except InvalidCredentialError as error:
            raise LoginError(str(error), "access_denied") from error
        except StoreError as error:
            raise LoginError(
                "Credentials cannot be reached at the moment; try again.", "unavailable"
            ) from error
        code = LoginCode(subject=principal.id, family=random_text(ID_LENGTH), challenge=attempt.challenge)
        return _returned(attempt.return_to, "login_code", parts.codes.close(code, now_s=now_s))

    async def _keep(self, person: Principal, session_s: float, *, now_s: float) -> Principal:
        """Remember what the provider says, for renewals; raises `InvalidCredentialError` for the revoked."""
        store = self._parts.store
        if await store.is_revoked((person.id,)):
            raise InvalidCredentialError(REVOKED)
        await store.keep_external_user(
            ExternalUser(
                id=person.id,
                scopes=person.scopes,
                roles=person.roles,
                signed_in_at_s=now_s,
                valid_until_s=now_s + session_s,
            )
        )
        principal = await self._parts.holders.find(person.id, now_s=now_s)
        if principal is None:
            raise InvalidCredentialError(REVOKED)
        return principal

    async def redeem(self, value: str, verifier: str, *, now_s: float) -> tuple[Principal, str]:
        """Who a page's code stands for, and the family of the tokens to come.

        Raises `InvalidCredentialError`. A code that comes twice ends the tokens that it yielded
        (RFC 6749 section 4.1.2).
        """
        parts = self._parts
        code = parts.codes.open(value, now_s=now_s)
        # Before the code is spent, so that nobody who has only seen it can take it away from its page.
        if code is None or not hmac.compare_digest(challenge_of(verifier), code.challenge):
            raise InvalidCredentialError(BAD_CODE)
        until_s = parts.codes.over_at_s(now_s=now_s)
        if not await parts.store.spend(f"login-code:{code.family}", now_s=now_s, until_s=until_s):
            await parts.tokens.revoke_family(code.family, now_s=now_s)
            raise InvalidCredentialError(BAD_CODE)
        principal = await parts.holders.find(code.subject, now_s=now_s)
        if principal is None:
            raise InvalidCredentialError(BAD_CODE)
        return principal, code.family


def _explained(error: LoginError) -> str:
    said = error.said if error.said is not None else error.__cause__
    # Whoever calls the callback chooses the words; a little of them is enough.
    return f"{error} ({str(said)[:MAX_SAID]!r})" if said is not None else str(error)


def _returned(url: str, name: str, value: str) -> Returned:
    return Returned(location=with_query(url, {name: value}))
