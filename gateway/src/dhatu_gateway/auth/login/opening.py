"""Puts logins together, from the providers that have one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.auth.login.attempts import ATTEMPT_S
from dhatu_gateway.auth.login.flow import Logins, Parts
from dhatu_gateway.auth.login.party import RelyingParty
from dhatu_gateway.auth.login.sealed import Attempt, LoginCode, Seal
from dhatu_gateway.auth.providers.external import OpenProvider
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.tokens import Holders, Tokens

CALLBACK = "/api/v1/auth/callback/"
CODE_S = 60
"""How long a page may take to trade its code."""

_logger = logging.getLogger("dhatu.login")


def open_parties(providers: Iterable[OpenProvider]) -> Mapping[str, RelyingParty]:
    """The providers where people may sign in; raises `ProviderFileError` where they could not come back."""
    parties: dict[str, RelyingParty] = {}
    for opened in providers:
        name, login = opened.provider.name, opened.provider.login
        if login is None:
            continue
        # Each has a callback of its own, so that no answer is taken for another's (RFC 9700 section 4.4).
        if not login.redirect_uri.endswith(CALLBACK + name):
            raise ProviderFileError(
                f"provider {name}: redirect_uri must end in {CALLBACK}{name}, not be {login.redirect_uri!r}"
            )
        parties[name] = RelyingParty(opened, login)
    return parties


async def open_logins(
    parties: Mapping[str, RelyingParty], store: CredentialStore, tokens: Tokens, holders: Holders
) -> Logins:
    """Make what signs people in; no provider is asked yet."""
    parts = Parts(
        store=store,
        tokens=tokens,
        holders=holders,
        attempts=Seal(Attempt, await store.secret("login-attempts"), lifetime_s=ATTEMPT_S),
        codes=Seal(LoginCode, await store.secret("login-codes"), lifetime_s=CODE_S),
        on_failure=lambda name, why: _logger.warning("login at %s failed: %s", name, why),
    )
    return Logins(parties, parts)
