"""What a client was given, resolved once: arguments, then the environment, then the API's own defaults."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from ._call import ApiSpec, Operation
from ._credentials import Credential, Credentials, checked, checked_pair, checked_secret
from ._errors import ConfigurationError
from ._retry import RetryPolicy


async def _sleep(delay_s: float) -> None:
    from anyio import sleep  # comes with httpx; works under asyncio and trio

    await sleep(delay_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time and chance; tests put their own in their place."""

    now_s: Callable[[], float] = time.monotonic
    wall_s: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = _sleep
    new_token: Callable[[], str] = lambda: os.urandom(16).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a client."""

    base_url: str
    """Without a slash at the end."""
    base_url_given: bool
    """Whether the caller said where, which then holds for operations with servers of their own as well."""
    credentials: Credentials = field(repr=False)
    timeout_s: float | None
    """None: each operation's own."""
    max_retries: int

    def address_of(self, operation: Operation[Any, Any]) -> str:
        """Where an operation is served."""
        if self.base_url_given or not operation.base_url:
            return self.base_url
        return urljoin(self.base_url, operation.base_url).rstrip("/")

    def shown(self) -> str:
        """For a repr: never a credential, not even one in the address."""
        parts = urlsplit(self.base_url)
        host = parts.netloc.rpartition("@")[2]
        shown = f"base_url={parts._replace(netloc=host).geturl()!r}"
        given = {
            "api_key": self.credentials.api_key,
            "token": self.credentials.token,
            "password": self.credentials.basic,
            "credentials": self.credentials.by_scheme,
        }
        return shown + "".join(f", {name}='***'" for name, secret in given.items() if secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the caller passed; None where nothing was."""

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    credentials: Mapping[str, Credential] | None = field(default=None, repr=False)
    timeout_s: float | None = None
    max_retries: int | None = None


def resolve(api: ApiSpec, given: Given, environment: Mapping[str, str]) -> Settings:
    """The settings of a new client.

    Raises `ConfigurationError`, which names the argument or the variable.
    """
    prefix = api.environment_prefix
    base_url = given.base_url or _variable(api, environment, "BASE_URL")
    name = f"base_url= or {prefix}_BASE_URL" if prefix else "base_url="
    if not base_url and api.base_url.startswith("/"):
        raise ConfigurationError(f"the address of the API is missing: set {name}; its path is {api.base_url}")
    return Settings(
        base_url=_checked_url(base_url or api.base_url, name),
        base_url_given=bool(base_url),
        credentials=_credentials(api, given, environment),
        timeout_s=checked_timeout(given.timeout_s),
        max_retries=RetryPolicy().max_retries
        if given.max_retries is None
        else checked_retries(given.max_retries),
    )


def _credentials(api: ApiSpec, given: Given, environment: Mapping[str, str]) -> Credentials:
    """The environment's count only where none was passed, so that none is sent beside another."""
    passed = (given.api_key, given.token, given.username, given.password, given.credentials)
    if any(one is not None for one in passed):
        return Credentials(
            api_key=checked_secret(given.api_key or "", "api_key="),
            token=checked_secret(given.token or "", "token="),
            basic=_pair(given.username, given.password, "username= and password="),
            by_scheme=checked(api, given.credentials or {}),
        )
    api_key, token, username, password = (
        _variable(api, environment, name) for name in ("API_KEY", "TOKEN", "USERNAME", "PASSWORD")
    )
    prefix = api.environment_prefix
    return Credentials(
        api_key=checked_secret(api_key, f"{prefix}_API_KEY"),
        token=checked_secret(token, f"{prefix}_TOKEN"),
        basic=_pair(username or None, password or None, f"{prefix}_USERNAME and {prefix}_PASSWORD"),
    )


def _variable(api: ApiSpec, environment: Mapping[str, str], name: str) -> str:
    return environment.get(f"{api.environment_prefix}_{name}", "") if api.environment_prefix else ""


def _pair(username: str | None, password: str | None, names: str) -> tuple[str, str] | None:
    """Name and password for HTTP basic; an empty password is one, an absent name is not."""
    if username is None and password is None:
        return None
    if username is None:
        raise ConfigurationError(f"{names} go together: the name is missing")
    return checked_pair(username, password or "")


def checked_timeout(timeout_s: float | None) -> float | None:
    if timeout_s is not None and not 0 < timeout_s < float("inf"):
        raise ConfigurationError(f"timeout_s must be a number of seconds above 0, not {timeout_s!r}")
    return timeout_s


def checked_retries(max_retries: int) -> int:
    if max_retries < 0:
        raise ConfigurationError(f"max_retries must be 0 or more, not {max_retries!r}")
    return max_retries


def _checked_url(url: str, name: str) -> str:
    if not url:
        raise ConfigurationError(f"the address of the API is missing: set {name}")
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{name} must be an address such as https://api.example.com")
    if "?" in url or "#" in url:
        raise ConfigurationError(f"{name} must hold neither a query nor a fragment")
    return url.rstrip("/")
