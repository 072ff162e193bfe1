"""What a client was given, resolved once: arguments, then the environment, then the API's own defaults."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ._call import ApiSpec
from ._errors import ConfigurationError
from ._request import Credentials
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
    credentials: Credentials = field(repr=False)
    timeout_s: float | None
    """None: each operation's own."""
    max_retries: int

    def shown(self) -> str:
        """For a repr: never a credential, not even one in the address."""
        parts = urlsplit(self.base_url)
        host = parts.netloc.rpartition("@")[2]
        shown = f"base_url={parts._replace(netloc=host).geturl()!r}"
        shown += ", api_key='***'" if self.credentials.api_key else ""
        return shown + (", token='***'" if self.credentials.token else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the caller passed; None where nothing was."""

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    timeout_s: float | None = None
    max_retries: int | None = None


def resolve(api: ApiSpec, given: Given, environment: Mapping[str, str]) -> Settings:
    """The settings of a new client.

    The environment's credentials count only where neither was passed, so that none is sent beside another.
    Raises `ConfigurationError`, which names the argument or the variable.
    """
    prefix = api.environment_prefix

    def variable(name: str) -> str:
        return environment.get(f"{prefix}_{name}", "") if prefix else ""

    passed = given.api_key is not None or given.token is not None
    api_key = given.api_key if passed else variable("API_KEY")
    token = given.token if passed else variable("TOKEN")
    base_url = given.base_url or variable("BASE_URL") or api.base_url
    return Settings(
        base_url=_checked_url(base_url, f"base_url= or {prefix}_BASE_URL" if prefix else "base_url="),
        credentials=Credentials(
            api_key=_checked_secret(api_key or "", "api_key=" if passed else f"{prefix}_API_KEY"),
            token=_checked_secret(token or "", "token=" if passed else f"{prefix}_TOKEN"),
        ),
        timeout_s=checked_timeout(given.timeout_s),
        max_retries=RetryPolicy().max_retries
        if given.max_retries is None
        else checked_retries(given.max_retries),
    )


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


def _checked_secret(secret: str, name: str) -> str:
    """The secret, if a header can carry it; the error never shows it."""
    if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigurationError(
            f"{name} holds a character that no credential has, such as a line break at its end"
        )
    return secret
