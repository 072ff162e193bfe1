"""What a client was given, resolved once: arguments, then the environment, then the API's own defaults."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, TypedDict
from urllib.parse import urljoin

from ._auth.credentials import Credentials
from ._auth.given import AuthOptions, Setting, resolve_credentials, variable
from ._auth.tokens import Chances
from ._call import ApiSpec, Operation
from ._errors import ConfigurationError
from ._flow.endpoints import EndpointProvider
from ._policies.retry import RetryPolicy
from ._resilience import Resilience
from ._urls import checked_url, listed_endpoints
from ._watch.watch import Listener, Tracer
from ._wire import Endpoint, without_user

CONNECT_TIMEOUT_S: Final = 5.0
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "off")

BaseUrl: TypeAlias = str | Sequence[str] | Mapping[str, float] | EndpointProvider
"""An address; several; several with their weights; or what finds them out."""


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


class ClientOptions(AuthOptions, total=False):
    """What both clients may be given.

    What is not given, or None, comes from the environment, then from the API's description. The variables are
    `DHATU_BASE_URL`, `DHATU_API_KEY`, `DHATU_TOKEN`, `DHATU_USERNAME` and `DHATU_PASSWORD`, `DHATU_CLIENT_ID`
    and `DHATU_CLIENT_SECRET`, `DHATU` being the API's prefix.
    `DHATU_LOG=debug`, or info, warning, error or off, logs from that level on, to the logger that is called
    like the package.
    """

    base_url: BaseUrl | None
    """Where the API is: an address; several, over which calls are spread, perhaps with weights; or
    a provider. It holds for every operation, those with a server of their own included."""
    timeout_s: float | None
    """For every call, retries and waits included; each operation's own where it is not given."""
    attempt_timeout_s: float | None
    """For each attempt; all the time that is left where it is not given."""
    connect_timeout_s: float | None
    """For a connection; 5 s where it is not given."""
    max_retries: int | None
    """Retries after the first attempt, 2 where it is not given; 0 turns them off."""
    strict: bool | None
    """Whether answers may hold only what the API's description knows; see `CallOptions`."""
    resilience: Resilience | None
    """Retries, budget, circuit breakers, balancing, hedging and pacing in detail."""
    on_event: Listener | Sequence[Listener] | None
    """Called with what happens to the calls, one `Event` at a time."""
    tracer: Tracer | None
    """Makes spans of calls and attempts."""


class ChangeableOptions(TypedDict, total=False):
    """What `with_options` may change."""

    timeout_s: float | None
    attempt_timeout_s: float | None
    connect_timeout_s: float | None
    max_retries: int
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a client."""

    base_urls: tuple[Endpoint, ...]
    """Empty where a provider names them."""
    provider: EndpointProvider | None
    base_url_given: bool
    """Whether the caller said where, which then holds for operations with servers of their own as well."""
    credentials: Credentials = field(repr=False)
    timeout_s: float | None
    """None: each operation's own."""
    attempt_timeout_s: float | None
    connect_timeout_s: float
    retry: RetryPolicy
    resilience: Resilience
    log_level: str = ""
    """One of `LOG_LEVELS`; empty leaves logging to the program."""
    strict: bool

    def changed(self, changes: ChangeableOptions) -> Settings:
        """With other values. Raises `ConfigurationError`, or `TypeError` for a name that is none."""
        for unknown in changes.keys() - ChangeableOptions.__optional_keys__:
            raise TypeError(f"with_options() got an unexpected keyword argument {unknown!r}")
        settings = self
        if "max_retries" in changes:
            retries = checked_retries(changes["max_retries"])
            settings = replace(settings, retry=replace(settings.retry, max_retries=retries))
        if "strict" in changes:
            settings = replace(settings, strict=changes["strict"])
        if "timeout_s" in changes:
            settings = replace(settings, timeout_s=checked_timeout(changes["timeout_s"], "timeout_s"))
        if "attempt_timeout_s" in changes:
            attempt_s = checked_timeout(changes["attempt_timeout_s"], "attempt_timeout_s")
            settings = replace(settings, attempt_timeout_s=attempt_s)
        connect_s = checked_timeout(changes.get("connect_timeout_s"), "connect_timeout_s")
        return settings if connect_s is None else replace(settings, connect_timeout_s=connect_s)

    def address_of(self, operation: Operation[Any, Any]) -> str | None:
        """Where an operation is served that has a server of its own; None where it is where the API is."""
        if self.base_url_given or not operation.base_url:
            return None
        return urljoin(self.base_urls[0].url, operation.base_url).rstrip("/")

    def shown(self) -> str:
        """For a repr: never a credential, not even one in the address."""
        urls = ", ".join(repr(without_user(endpoint.url)) for endpoint in self.base_urls)
        shown = f"base_url={urls if len(self.base_urls) == 1 else self.provider or f'[{urls}]'}"
        given = {
            "api_key": self.credentials.api_key,
            "token": self.credentials.token or self.credentials.renewed,
            "password": self.credentials.basic,
            "credentials": self.credentials.by_scheme,
        }
        return shown + "".join(f", {name}='***'" for name, secret in given.items() if secret)


def resolve(
    api: ApiSpec, given: ClientOptions, environment: Mapping[str, str], surroundings: Surroundings
) -> Settings:
    """The settings of a new client.

    Raises `ConfigurationError`, which names the argument or the variable; `TypeError` for a name that is
    none.
    """
    for unknown in given.keys() - ClientOptions.__optional_keys__:
        raise TypeError(f"{api.client}() got an unexpected keyword argument {unknown!r}")
    resilience = given.get("resilience") or Resilience()
    max_retries = given.get("max_retries")
    retry = resilience.retry
    if max_retries is not None:
        retry = replace(retry, max_retries=checked_retries(max_retries))
    base_urls, provider, base_url_given = _base_urls(api, given.get("base_url"), environment)
    connect_s = checked_timeout(given.get("connect_timeout_s"), "connect_timeout_s")
    setting = Setting(
        api=api,
        base_url=base_urls[0].url if base_urls else "",
        chances=Chances(surroundings.now_s, surroundings.random),
    )
    return Settings(
        base_urls=base_urls,
        provider=provider,
        base_url_given=base_url_given,
        credentials=resolve_credentials(given, setting, environment),
        timeout_s=checked_timeout(given.get("timeout_s"), "timeout_s"),
        attempt_timeout_s=checked_timeout(given.get("attempt_timeout_s"), "attempt_timeout_s"),
        connect_timeout_s=CONNECT_TIMEOUT_S if connect_s is None else connect_s,
        retry=retry,
        resilience=resilience,
        strict=bool(given.get("strict")),
        log_level=_log_level(api, environment),
    )


def _log_level(api: ApiSpec, environment: Mapping[str, str]) -> str:
    level = variable(api, environment, "LOG").strip().lower()
    if level and level not in LOG_LEVELS:
        raise ConfigurationError(
            f"{api.environment_prefix}_LOG must be one of {', '.join(LOG_LEVELS)}, not {level!r}"
        )
    return level


def _base_urls(
    api: ApiSpec, given: BaseUrl | None, environment: Mapping[str, str]
) -> tuple[tuple[Endpoint, ...], EndpointProvider | None, bool]:
    """The endpoints or the provider of them, and whether the caller said so.

    Several addresses in the variable are separated by commas.
    """
    prefix = api.environment_prefix
    name = f"base_url= or {prefix}_BASE_URL" if prefix else "base_url="
    listed = variable(api, environment, "BASE_URL").split(",")
    found = [url.strip() for url in listed if url.strip()]
    if isinstance(given, str):
        given = [given] if given else None
    if given is None:
        given = found or None
    if given is None and api.base_url.startswith("/"):
        raise ConfigurationError(f"the address of the API is missing: set {name}; its path is {api.base_url}")
    if given is None:
        return (Endpoint(checked_url(api.base_url, name)),), None, False
    if isinstance(given, Mapping | Sequence):
        return listed_endpoints(given, name), None, True
    return (), given, True


def checked_timeout(timeout_s: float | None, name: str) -> float | None:
    """The time, if it is one. Raises `ConfigurationError`."""
    if timeout_s is not None and not 0 < timeout_s < float("inf"):
        raise ConfigurationError(f"{name} must be a number of seconds above 0, not {timeout_s!r}")
    return timeout_s


def checked_retries(max_retries: int) -> int:
    if max_retries < 0:
        raise ConfigurationError(f"max_retries must be 0 or more, not {max_retries!r}")
    return max_retries
