"""Tokens that the caller's own function provides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutinefunction
from typing import TypeAlias

from .._errors import ConfigurationError
from .._wire import AsyncTransport, Transport
from .credentials import checked_secret
from .tokens import Token

TokenProvider: TypeAlias = Callable[[], str | Token | Awaitable[str | Token]]
"""Returns a token: a str is held until the server refuses it, a `Token` with `expires_in_s` renewed in time.

The sync client takes plain functions; the async one takes both, and runs a plain one in a thread.
"""


class ProvidedToken:
    """Asks the function; what it raises goes to whoever needed the token."""

    def __init__(self, provider: TokenProvider) -> None:
        self._provider = provider

    def obtain(self, transport: Transport) -> Token:
        if is_async(self._provider):
            raise ConfigurationError(_NOT_SYNC)
        given = self._provider()
        if isawaitable(given):
            close = getattr(given, "close", None)
            if close is not None:
                close()  # a coroutine that nobody awaits warns
            raise ConfigurationError(_NOT_SYNC)
        return _checked(given)

    async def aobtain(self, transport: AsyncTransport) -> Token:
        if is_async(self._provider):
            given = self._provider()
        else:
            from anyio import to_thread  # comes with httpx; works under asyncio and trio

            given = await to_thread.run_sync(self._provider)
        return _checked(await given if isawaitable(given) else given)


def is_async(provider: TokenProvider) -> bool:
    """Whether a provider is certainly one to await; a lambda does not show it before it is called."""
    return iscoroutinefunction(provider) or iscoroutinefunction(getattr(provider, "__call__", None))  # noqa: B004


_NOT_SYNC = "token= is an async function, which the sync client cannot await: give it a plain one"


def _checked(given: object) -> Token:
    token = Token(given) if isinstance(given, str) else given
    if not isinstance(token, Token):
        kind = type(given).__name__
        raise ConfigurationError(f"the function given as token= returned {kind}, not a str or Token")
    if not checked_secret(token.value, "what token= returned"):
        raise ConfigurationError("the function given as token= returned an empty token")
    return token
