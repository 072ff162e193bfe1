"""What a provider says of itself, kept while it holds: asked for once by many, and not too often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dhatu_gateway.auth.errors import ProviderError

T = TypeVar("T")

_logger = logging.getLogger("dhatu.providers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long a value holds, in seconds, and how often it may be asked for."""

    fresh_s: float
    """Used without a second thought. From then on it is asked for anew beside the requests; at twice that
    age, before they go on, unless the last question was in vain."""
    stale_s: float = 24 * 3600.0
    """Used, if the provider is out, up to this age, and no longer."""
    floor_s: float = 30.0
    """Between two questions, whatever tokens ask for."""
    first_floor_s: float = 5.0
    """The same, while there is no value."""


@dataclass(slots=True)
class Fetches:
    """How often the provider was asked by this process, and how often in vain."""

    ok: int = 0
    failed: int = 0


class Kept(Generic[T]):
    """One value of a provider; `load` raises `ProviderError`."""

    def __init__(
        self, what: str, load: Callable[[], Awaitable[T]], keeping: Keeping, clock: Callable[[], float]
    ) -> None:
        """`what` names it in the log; `clock` is monotonic."""
        self.fetches = Fetches()
        self._what = what
        self._load = load
        self._keeping = keeping
        self._clock = clock
        self._value: T | None = None
        self._loaded_at_s = 0.0
        self._asked_at_s: float | None = None
        # Text, and not the error: one that is raised again and again grows by a traceback each time.
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._doubted = False

    @property
    def failure(self) -> ProviderError | None:
        """Why the last question was in vain; None where it was not."""
        return ProviderError(self._failure) if self._failure is not None else None

    async def get(self) -> T:
        """The value, fresh if the provider can be asked; raises `ProviderError` where there is none."""
        age_s = self._clock() - self._loaded_at_s
        # Where the last question was in vain, the next may be too, after a long time: nobody waits for it
        # who can do without.
        ends_s = self._keeping.stale_s if self._failure is not None else 2 * self._keeping.fresh_s
        if self._value is None or age_s >= ends_s or (self._doubted and self._failure is None):
            return await self.renew()
        if age_s >= self._keeping.fresh_s or self._doubted:
            self._begin()
        return self._value

    async def renew(self) -> T:
        """The value, asked for anew unless that was done a moment ago; raises `ProviderError` as `get`."""
        task = self._begin()
        if task is not None:
            # A caller who leaves must not take the answer from the others.
            await asyncio.shield(task)
        if self._value is None or self._clock() - self._loaded_at_s >= self._keeping.stale_s:
            raise self.failure or ProviderError(f"{self._what} has not been read")
        return self._value

    def doubt(self) -> None:
        """Ask anew before the value is used again: what it led to has failed."""
        self._doubted = True

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self) -> asyncio.Task[None] | None:
        """The question under way, a new one, or None where it is too early for one."""
        if self._task is None:
            now_s = self._clock()
            floor_s = self._keeping.first_floor_s if self._value is None else self._keeping.floor_s
            if self._asked_at_s is not None and now_s - self._asked_at_s < floor_s:
                return None
            self._asked_at_s = now_s
            self._task = asyncio.create_task(self._ask())
        return self._task

    async def _ask(self) -> None:
        try:
            self._value = await self._load()
        except ProviderError as error:
            self.fetches.failed += 1
            # Once for an outage, and not once for each question in it.
            if self._failure is None:
                _logger.warning("%s cannot be read: %s", self._what, error)
            self._failure = str(error)
        else:
            self.fetches.ok += 1
            if self._failure is not None:
                _logger.warning("%s can be read again", self._what)
            self._failure, self._doubted, self._loaded_at_s = None, False, self._clock()
        finally:
            self._task = None
