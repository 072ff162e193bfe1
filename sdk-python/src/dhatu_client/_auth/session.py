"""What a grant becomes: a session, which trades it for a token and renews that while the server lets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urljoin

from .._call import GrantSpec, SchemeSpec
from .._errors import ConfigurationError, TokenError
from .._wire import AsyncTransport, Transport
from .grants import APIKeyGrant, ClientAuth, ClientCredentials, Grant, OnToken, PasswordGrant, RefreshToken
from .oauth2 import Client, Metadata, PassingFailure, Steps, Trade, discover, exchange, host_of, is_private
from .tokens import Token


class Place(NamedTuple):
    """What a session has to know of the API."""

    schemes: tuple[SchemeSpec, ...]
    """Those that its tokens are for."""
    base_url: str
    """Without a slash at the end."""
    user_agent: str


class Session:
    """Trades the grant for a token; from then on the refresh token, for as long as it is taken."""

    def __init__(self, grant: Grant, place: Place) -> None:
        """Raises `ConfigurationError` where nobody says where to ask, or secrets must not go there."""
        kind, fields = _traded(grant)
        means = _Means.of(grant)
        trade = Trade(
            _endpoint(grant, kind, means.token_url, place), fields, tuple(grant.scopes), means.extra
        )
        self._place = place
        self._means = means
        self._metadata: Metadata | None = None
        self._first: Trade | None = None
        self._renewal: Trade | None = trade
        self._refresh_token = ""
        if isinstance(grant, RefreshToken):
            self._refresh_token = grant.refresh_token
        else:
            self._first = trade
            renewal = find_grant("refresh_token", means.token_url, place)
            self._renewal = Trade(renewal, {}, (), {}) if renewal else None

    def obtain(self, transport: Transport) -> Token:
        steps = self._steps()
        try:
            step = next(steps)
            while True:
                step = steps.send(transport.send(step))
        except StopIteration as stop:
            return self._told(stop.value)
        finally:
            steps.close()

    async def aobtain(self, transport: AsyncTransport) -> Token:
        steps = self._steps()
        try:
            step = next(steps)
            while True:
                step = steps.send(await transport.send(step))
        except StopIteration as stop:
            return self._told(stop.value)
        finally:
            steps.close()

    def _told(self, token: Token) -> Token:
        if self._means.on_token is not None:
            self._means.on_token(token)
        return token

    def _steps(self) -> Steps[Token]:
        token = None
        if self._refresh_token and self._renewal is not None:
            token = yield from self._renewed(self._renewal, self._refresh_token)
        if token is None:
            assert self._first is not None, "without a first grant a refused renewal is an error"
            token = yield from self._exchanged(self._first)
        self._refresh_token = token.refresh_token
        return token

    def _renewed(self, renewal: Trade, refresh_token: str) -> Steps[Token | None]:
        """A token by the refresh token; None where that is refused and the first grant may do."""
        if self._first is not None:
            # It may count only once: if the answer gets lost, sending it again could end the whole session.
            self._refresh_token = ""
        try:
            trade = renewal._replace(fields={"refresh_token": refresh_token})
            token = yield from self._exchanged(trade)
        except PassingFailure as failure:
            if not failure.acted:
                self._refresh_token = refresh_token
            raise
        except TokenError:
            if self._first is None:
                raise
            return None
        return token if token.refresh_token else token._replace(refresh_token=refresh_token)

    def _exchanged(self, trade: Trade) -> Steps[Token]:
        means, user_agent = self._means, self._place.user_agent
        auth = means.client_auth
        if not trade.grant.url:
            if self._metadata is None:
                self._metadata = yield from discover(_discovery_url(self._place), user_agent)
            trade = trade._replace(grant=replace(trade.grant, url=self._metadata.token_url))
            auth = auth or self._metadata.auth
        client = Client(means.client_id, means.client_secret, auth or "basic") if means.client_id else None
        return (yield from exchange(trade, client, user_agent))


def find_grant(kind: str, token_url: str, place: Place) -> GrantSpec | None:
    """Where a kind of grant is traded; without an address where discovery has yet to tell it."""
    if token_url:
        return GrantSpec(kind=kind, url=token_url)
    for scheme in place.schemes:
        for grant in scheme.grants:
            if grant.kind == kind:
                return replace(grant, url=_whole(grant.url, place))
    return GrantSpec(kind=kind, url="") if _discovery_url(place) else None


def _whole(url: str, place: Place) -> str:
    if not place.base_url and "://" not in url:
        raise ConfigurationError(
            "where tokens are obtained follows from base_url, which must be an address then"
        )
    return urljoin(f"{place.base_url}/", url)


def _endpoint(grant: Grant, kind: str, token_url: str, place: Place) -> GrantSpec:
    found = find_grant(kind, token_url, place)
    if found is None:
        hint = "" if isinstance(grant, APIKeyGrant) else "; give it a token_url"
        message = (
            f"the API's description does not say where a {type(grant).__name__} is traded for tokens{hint}"
        )
        raise ConfigurationError(message)
    # Where the API itself trades, its address is the caller's choice, and every other secret goes there too.
    url = found.url or _discovery_url(place)
    if not is_private(url) and not url.startswith(f"{place.base_url}/"):
        raise ConfigurationError(
            f"{type(grant).__name__}: secrets go by https, or stay on this machine; not to {host_of(url)}"
        )
    return found


def _discovery_url(place: Place) -> str:
    return next((scheme.discovery_url for scheme in place.schemes if scheme.discovery_url), "")


def _traded(grant: Grant) -> tuple[str, dict[str, str]]:
    """The kind of a grant, and the members of the request that make it up."""
    match grant:
        case ClientCredentials():
            kind, fields, needed = "client_credentials", dict[str, str](), grant.client_id
        case RefreshToken():
            kind, fields = "refresh_token", {"refresh_token": grant.refresh_token}
            needed = grant.refresh_token
        case PasswordGrant():
            kind, fields = "password", {"username": grant.username, "password": grant.password}
            needed = grant.username
        case APIKeyGrant():
            kind, fields, needed = "api_key", {"api_key": grant.api_key}, grant.api_key
    if not needed:
        raise ConfigurationError(f"{type(grant).__name__} is empty")
    return kind, fields


class _Means(NamedTuple):
    """What the grants have in common, with nothing where one does not have it."""

    token_url: str
    extra: Mapping[str, str]
    client_id: str
    client_secret: str
    client_auth: ClientAuth | None
    on_token: OnToken | None

    @classmethod
    def of(cls, grant: Grant) -> _Means:
        if isinstance(grant, APIKeyGrant):
            return cls("", {}, "", "", None, grant.on_token)
        on_token = None if isinstance(grant, ClientCredentials) else grant.on_token
        return cls(
            grant.token_url, grant.extra, grant.client_id, grant.client_secret, grant.client_auth, on_token
        )

    def __repr__(self) -> str:
        return f"_Means(client_id={self.client_id!r})"
