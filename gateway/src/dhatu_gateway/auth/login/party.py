"""One provider as a client of it sees it: where browsers are sent, and what a code is worth."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from dhatu_gateway.auth.compact import read_parts
from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError
from dhatu_gateway.auth.login.claims import Expected, check_id_token
from dhatu_gateway.auth.login.errors import LoginError
from dhatu_gateway.auth.login.sealed import Attempt
from dhatu_gateway.auth.providers.client import client_authentication
from dhatu_gateway.auth.providers.config import Login
from dhatu_gateway.auth.providers.external import OpenProvider
from dhatu_gateway.auth.providers.principals import Principals
from dhatu_gateway.auth.providers.tokens import id_token_rules
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.core.exchange import Principal

OUT = "The provider cannot be reached at the moment; try again."


class RelyingParty:
    """The gateway as a client of one provider."""

    def __init__(self, opened: OpenProvider, login: Login) -> None:
        self.login = login
        self.secure = login.redirect_uri.startswith("https:")
        """Whether browsers come by https, so that cookies can be confined to it."""
        self._discovery = opened.discovery
        self._fetcher = opened.fetcher
        self._tokens = opened.tokens
        self._rules = id_token_rules(login.client_id)
        # Without what roles stand for: that is read from platform.yaml whenever it is needed.
        self._principals = Principals(opened.provider, Roles())

    async def authorization_url(self, attempt: Attempt) -> str:
        """Where a browser is sent to sign in; raises `LoginError` where the provider is out."""
        try:
            metadata = await self._discovery.get()
            endpoint = await self._discovery.endpoint(
                "authorization_endpoint", metadata.authorization_endpoint
            )
        except ProviderError as error:
            raise LoginError(OUT, "unavailable") from error
        asked = {
            "response_type": "code",
            "client_id": self.login.client_id,
            "redirect_uri": self.login.redirect_uri,
            "scope": " ".join(self.login.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return with_query(endpoint, asked)

    async def check_issuer(self, issuer: str | None) -> None:
        """Refuse an answer of another provider (RFC 9207); raises `LoginError`."""
        try:
            metadata = await self._discovery.get()
        except ProviderError as error:
            raise LoginError(OUT, "unavailable") from error
        if issuer != metadata.issuer and (issuer is not None or metadata.issuer_in_callback):
            raise LoginError("Another provider than the one that was asked has answered; begin again.")

    async def person(self, code: str, attempt: Attempt, *, now_s: float) -> Principal:
        """Trade a code for whom the provider names, before roles are expanded; raises `LoginError`."""
        try:
            answer = await self._trade(code, attempt.verifier)
            token, access_token = answer.get("id_token"), answer.get("access_token")
            if not isinstance(token, str):
                raise LoginError("The provider answered without an ID token.")
            raw = token.encode()
            claims = await self._tokens.claims(raw, self._rules, now_s=now_s)
            expected = Expected(
                client_id=self.login.client_id,
                nonce=attempt.nonce,
                access_token=access_token if isinstance(access_token, str) else None,
                now_s=now_s,
            )
            check_id_token(claims, str(read_parts(raw)[0]["alg"]), expected)
            return self._principals.identity(claims, raw).principal
        except ProviderError as error:
            raise LoginError(OUT, "unavailable") from error
        except InvalidCredentialError as error:
            raise LoginError("The provider's ID token is not valid.") from error

    async def _trade(self, code: str, verifier: str) -> Mapping[str, Any]:
        metadata = await self._discovery.get()
        endpoint = await self._discovery.endpoint("token_endpoint", metadata.token_endpoint)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.login.redirect_uri,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        if self.login.client_secret is None:
            form["client_id"] = self.login.client_id
        elif metadata.secret_in_form:
            form |= {"client_id": self.login.client_id, "client_secret": self.login.client_secret}
        else:
            headers["Authorization"] = client_authentication(self.login.client_id, self.login.client_secret)
        answer = await self._fetcher.post_form(endpoint, form, headers=headers)
        if answer.status >= 500:
            raise ProviderError(f"{endpoint} answered {answer.status}")
        if answer.status != 200:
            said = answer.document.get("error")
            raise LoginError("The provider does not take its own code; begin again.", said=said)
        return answer.document


def challenge_of(verifier: str) -> str:
    """What a verifier is told by beforehand (RFC 7636 section 4.2).

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """The address with more in its query, which it may have already (RFC 6749 section 3.1).

    >>> with_query("https://a.example/?b=c", {"d": "e f"})
    'https://a.example/?b=c&d=e+f'
    """
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
