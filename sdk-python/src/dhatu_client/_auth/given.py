"""Which credentials a client has: arguments, else the environment; resolved once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias, TypedDict

from .._call import ApiSpec, SchemeSpec
from .._errors import ConfigurationError
from .credentials import Credential, Credentials, checked, checked_pair, checked_secret
from .grants import APIKeyGrant, ClientCredentials, Grant, PasswordGrant, RefreshToken
from .provider import ProvidedToken, TokenProvider, is_async
from .tokens import Chances, RenewedToken

SchemeCredential: TypeAlias = Credential | Grant | TokenProvider
"""What one security scheme gets: a secret, or for a bearer token what obtains it."""


class AuthOptions(TypedDict, total=False):
    """How a client proves who calls."""

    api_key: str | None
    """Goes where the API's description wants a key."""
    token: str | TokenProvider | None
    """A bearer token, or a function that provides it: a str is held until the server refuses it, a `Token`
    with `expires_in_s` is renewed in time. The sync client takes plain functions alone."""
    auth: Grant | None
    """What is traded for bearer tokens, which are renewed before they end and once after a 401."""
    username: str | None
    """With `password`: HTTP basic, or where the API does without and trades them for tokens, that."""
    password: str | None
    credentials: Mapping[str, SchemeCredential] | None
    """By the key of a security scheme what that one gets, where an API has several of a kind."""


class Setting(NamedTuple):
    """Where credentials are to work."""

    api: ApiSpec
    base_url: str
    """Without a slash at the end; empty where it is not known beforehand."""
    chances: Chances

    def renewing(self, given: Grant | TokenProvider, schemes: tuple[SchemeSpec, ...]) -> RenewedToken:
        """Raises `ConfigurationError` where a grant cannot be traded."""
        if not isinstance(given, _GRANTS):
            return RenewedToken(ProvidedToken(given), self.chances)
        from .session import Place, Session  # what speaks to token endpoints is for those who have one

        user_agent = f"{self.api.distribution}/{self.api.version}"
        return RenewedToken(Session(given, Place(schemes, self.base_url, user_agent)), self.chances)


def resolve_credentials(given: AuthOptions, setting: Setting, environment: Mapping[str, str]) -> Credentials:
    """The credentials of a new client.

    The environment's count only where none was passed, so that none is sent beside another. Raises
    `ConfigurationError`, which never shows one.
    """
    passed = {name: given.get(name) for name in AuthOptions.__optional_keys__}
    if any(value is not None for value in passed.values()):
        return _passed(given, setting)
    return _found(setting, lambda name: variable(setting.api, environment, name))


def refuse_async(given: AuthOptions) -> None:
    """Raise `ConfigurationError` for what the sync client could not await."""
    for name, value in (("token=", given.get("token")), *(given.get("credentials") or {}).items()):
        if callable(value) and is_async(value):
            raise ConfigurationError(
                f"{name} is an async function, which the sync client cannot await: give a plain one"
            )


def variable(api: ApiSpec, environment: Mapping[str, str], name: str) -> str:
    """What the environment says under the API's prefix; empty where it says nothing."""
    return environment.get(f"{api.environment_prefix}_{name}", "") if api.environment_prefix else ""


def _passed(given: AuthOptions, setting: Setting) -> Credentials:
    token, auth = given.get("token"), _checked_grant(given.get("auth"))
    if auth is not None and token is not None:
        raise ConfigurationError("token= and auth= both say what the bearer token is: give one of them")
    fixed = token if isinstance(token, str) else ""
    pair = _pair(given.get("username"), given.get("password"), "username= and password=")
    obtaining = auth or (None if isinstance(token, str) else token)
    basic, traded = _basic_or_traded(setting.api, pair, free=obtaining is None and not fixed)
    obtaining = obtaining or traded
    return Credentials(
        api_key=checked_secret(given.get("api_key") or "", "api_key="),
        token=checked_secret(fixed, "token="),
        basic=basic,
        renewed=None if obtaining is None else setting.renewing(obtaining, _bearers(setting.api)),
        by_scheme=_by_scheme(given.get("credentials") or {}, setting),
    )


def _found(setting: Setting, value: Callable[[str], str]) -> Credentials:
    """The environment's; a token before a user, a user before a client."""
    prefix = setting.api.environment_prefix
    token = value("TOKEN")
    names = f"{prefix}_USERNAME and {prefix}_PASSWORD"
    pair = _pair(value("USERNAME") or None, value("PASSWORD") or None, names)
    basic, traded = _basic_or_traded(setting.api, pair, free=not token)
    obtaining: Grant | None = traded
    client_id, client_secret = value("CLIENT_ID"), value("CLIENT_SECRET")
    if bool(client_id) != bool(client_secret):
        raise ConfigurationError(f"{prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET go together")
    if client_id and not token and obtaining is None:
        obtaining = ClientCredentials(client_id=client_id, client_secret=client_secret)
    return Credentials(
        api_key=checked_secret(value("API_KEY"), f"{prefix}_API_KEY"),
        token=checked_secret(token, f"{prefix}_TOKEN"),
        basic=basic,
        renewed=None if obtaining is None else setting.renewing(obtaining, _bearers(setting.api)),
    )


def _checked_grant(given: object) -> Grant | None:
    if given is None or isinstance(given, _GRANTS):
        return given
    kinds = ", ".join(kind.__name__ for kind in _GRANTS)
    raise ConfigurationError(f"auth= takes one of {kinds}; a function goes to token=")


def _by_scheme(
    given: Mapping[str, SchemeCredential], setting: Setting
) -> dict[str, Credential | RenewedToken]:
    schemes = {scheme.key: scheme for scheme in setting.api.schemes}
    resolved: dict[str, Credential | RenewedToken] = {}
    for key, value in given.items():
        scheme = schemes.get(key)
        if isinstance(value, (str, tuple)):
            resolved[key] = value
        elif scheme is None or scheme.kind == "bearer":
            resolved[key] = setting.renewing(value, (scheme,) if scheme else ())
        else:
            raise ConfigurationError(
                f"credentials[{key!r}] must be a secret: nothing is traded for that scheme"
            )
    return checked(setting.api, resolved)


def _basic_or_traded(
    api: ApiSpec, pair: tuple[str, str] | None, *, free: bool
) -> tuple[tuple[str, str] | None, PasswordGrant | None]:
    """Name and password as they travel in HTTP basic; where the API does without, what they are traded as."""
    if pair is None:
        return None, None
    basic = any(scheme.kind == "basic" for scheme in api.schemes)
    traded = any(grant.kind == "password" for scheme in api.schemes for grant in scheme.grants)
    if free and traded and not basic:
        return None, PasswordGrant(username=pair[0], password=pair[1])
    return checked_pair(*pair), None


def _pair(username: str | None, password: str | None, names: str) -> tuple[str, str] | None:
    """Name and password; an empty password is one, an absent name is not."""
    if username is None and password is None:
        return None
    if username is None:
        raise ConfigurationError(f"{names} go together: the name is missing")
    return username, password or ""


def _bearers(api: ApiSpec) -> tuple[SchemeSpec, ...]:
    return tuple(scheme for scheme in api.schemes if scheme.kind == "bearer")


_GRANTS = (ClientCredentials, RefreshToken, PasswordGrant, APIKeyGrant)
