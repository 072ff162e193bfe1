"""Tokens that say nothing themselves: whoever issued them is asked (RFC 7662)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError
from dhatu_gateway.auth.identity import Identity
from dhatu_gateway.auth.jwt import INVALID
from dhatu_gateway.auth.providers.client import client_authentication
from dhatu_gateway.auth.providers.config import Introspection, Provider
from dhatu_gateway.auth.providers.discovery import Discovery
from dhatu_gateway.auth.providers.kept import Fetches
from dhatu_gateway.auth.providers.principals import Principals
from dhatu_gateway.auth.providers.tokens import check_times, check_unbound

if TYPE_CHECKING:
    from dhatu_gateway.auth.providers.fetch import Fetcher  # holds httpx

TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]{8,4096}=*")
"""RFC 6750 section 2.1; nobody issues shorter ones."""
OURS = re.compile(rb"dhk_|eyJ")
"""Keys of this gateway, and JSON Web Tokens that could not be read: the provider must not see them."""
MAX_ACTIVE = 50_000
MAX_INACTIVE = 10_000
INACTIVE_S = 10.0
"""How long a token that the provider does not know is refused without asking again."""
MAX_AT_ONCE = 16
MAX_WAITING = 256

_logger = logging.getLogger("dhatu.providers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the provider said of a token; None for one that is not active."""

    identity: Identity | None
    until_s: float
    """On the monotonic clock."""


class Introspector:
    """Asks one provider about tokens, many questions at once but not without bound."""

    def __init__(
        self,
        provider: Provider,
        introspection: Introspection,
        discovery: Discovery,
        fetcher: Fetcher,
        principals: Principals,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fetches = Fetches()
        self.is_out = False
        """Whether the last question was in vain."""
        self._provider = provider
        self._introspection = introspection
        self._discovery = discovery
        self._fetcher = fetcher
        self._principals = principals
        self._clock = clock
        self._authorization = client_authentication(introspection.client_id, introspection.client_secret)
        # Apart, so that guesses do not push out tokens that hold.
        self._active: dict[bytes, Asked] = {}
        self._inactive: dict[bytes, Asked] = {}
        self._under_way: dict[bytes, asyncio.Task[Identity | None]] = {}
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    async def verify(self, token: bytes, *, now_s: float) -> Identity:
        """Whom a token stands for; `now_s` is wall time.

        Raises `InvalidCredentialError` where it stands for nobody, and `ProviderError` where the provider
        cannot be asked: then nobody is let in whose token has not been asked about a moment ago.
        """
        if TOKEN.fullmatch(token) is None or OURS.match(token) is not None:
            raise InvalidCredentialError(INVALID)
        digest = hashlib.sha256(token).digest()
        known = self._active.get(digest) or self._inactive.get(digest)
        if known is not None and known.until_s > self._clock():
            identity = known.identity
        else:
            identity = await self._ask_once(digest, token, now_s)
        if identity is None:
            raise InvalidCredentialError(INVALID)
        return identity

    async def endpoint(self) -> str:
        """Where it is asked; raises `ProviderError` where nobody can say."""
        if self._introspection.endpoint is not None:
            return self._introspection.endpoint
        metadata = await self._discovery.get()
        return await self._discovery.endpoint("introspection_endpoint", metadata.introspection_endpoint)

    async def close(self) -> None:
        """Stop asking."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_once(self, digest: bytes, token: bytes, now_s: float) -> Identity | None:
        """Ask, or wait for whoever asks the same."""
        task = self._under_way.get(digest)
        if task is None:
            if len(self._under_way) >= MAX_WAITING:
                raise ProviderError(f"provider {self._provider.name} is asked about too many tokens at once")
            task = self._under_way[digest] = asyncio.create_task(self._ask(digest, token, now_s))
            task.add_done_callback(lambda done: self._finish(digest, done))
        return await asyncio.shield(task)

    def _finish(self, digest: bytes, task: asyncio.Task[Identity | None]) -> None:
        del self._under_way[digest]
        if task.cancelled():
            return
        failure = task.exception()
        if failure is None:
            self.fetches.ok += 1
        else:
            self.fetches.failed += 1
        # Once for an outage, and not once for each token in it.
        if failure is not None and not self.is_out:
            _logger.warning("provider %s cannot be asked about tokens: %s", self._provider.name, failure)
        elif failure is None and self.is_out:
            _logger.warning("provider %s can be asked about tokens again", self._provider.name)
        self.is_out = failure is not None

    async def _ask(self, digest: bytes, token: bytes, now_s: float) -> Identity | None:
        async with self._turns:
            answer = await self._answer(token)
        try:
            identity = self._read(answer, token, now_s)
        except InvalidCredentialError:
            identity = None
        self._keep(digest, identity, now_s)
        return identity

    async def _answer(self, token: bytes) -> dict[str, Any]:
        url = await self.endpoint()
        form = {"token": token.decode("ascii"), "token_type_hint": "access_token"}
        answer = await self._fetcher.post_form(url, form, headers={"Authorization": self._authorization})
        # RFC 7662 section 2.3: 401 is about us and not about the token.
        if answer.status != 200 or not isinstance(answer.document.get("active"), bool):
            raise ProviderError(f"{url} answered {answer.status}, which says nothing about the token")
        return answer.document

    def _read(self, answer: dict[str, Any], token: bytes, now_s: float) -> Identity:
        """Whom an answer names; raises `InvalidCredentialError`."""
        audience = answer.get("aud")
        audiences = cast(list[object], audience) if isinstance(audience, list) else [audience]
        meant = any(name in self._provider.audiences for name in audiences)
        sound = (
            answer["active"] is True
            and (meant or (self._introspection.any_audience and audience is None))
            and answer.get("iss", self._provider.issuer) == self._provider.issuer
            and str(answer.get("token_type", "bearer")).lower() in ("bearer", "access_token")
        )
        if not sound:
            raise InvalidCredentialError(INVALID)
        check_unbound(answer)
        check_times({"exp": now_s + 1.0} | answer, now_s)
        return self._principals.identity(answer, token)

    def _keep(self, digest: bytes, identity: Identity | None, now_s: float) -> None:
        kept_s = self._introspection.cache_s
        if identity is None:
            kept, most, kept_s = self._inactive, MAX_INACTIVE, min(kept_s, INACTIVE_S)
        else:
            kept, most = self._active, MAX_ACTIVE
            if identity.expires_at_s is not None:
                kept_s = min(kept_s, identity.expires_at_s - now_s)
        self._active.pop(digest, None)
        self._inactive.pop(digest, None)
        if kept_s > 0:
            if len(kept) >= most:
                del kept[next(iter(kept))]
            kept[digest] = Asked(identity=identity, until_s=self._clock() + kept_s)
