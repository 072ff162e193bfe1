"""Asks each endpoint again and again whether it is well: Envoy's active health checking."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.health.record import Record
from dhatu_gateway.core.upstream.policy import HealthCheck

Probe = Callable[[Endpoint], Awaitable[str]]
"""Asks once; answers what is wrong, empty where nothing is. It raises nothing and takes its time at most."""

_logger = logging.getLogger("dhatu.upstream")


class Streak:
    """Results in a row, until there are enough to think otherwise of an endpoint."""

    __slots__ = ("_against", "_asked", "_policy", "well")

    def __init__(self, policy: HealthCheck) -> None:
        self._policy = policy
        self._against = 0
        self._asked = False
        self.well = policy.initially == "healthy"
        """What it is taken for."""

    def count(self, *, passed: bool) -> bool:
        """Take in a result; says whether the endpoint is taken for something else from now on.

        As in Envoy one success is enough for an endpoint that has never been asked.
        """
        first, self._asked = not self._asked, True
        if passed == self.well:
            self._against = 0
            return False
        self._against += 1
        needed = self._policy.healthy_after if passed else self._policy.unhealthy_after
        if self._against < needed and not (first and passed):
            return False
        self._against = 0
        self.well = passed
        return True


class Checked(Protocol):
    """An endpoint that is asked."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def health(self) -> Record: ...


M = TypeVar("M", bound=Checked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Waiting and chance."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float]
    """Yields floats in [0, 1)."""


class HealthChecks(Generic[M]):
    """One task for each endpoint of a service."""

    def __init__(
        self, policy: HealthCheck, probe: Probe, changed: Callable[[M], None], rhythm: Rhythm
    ) -> None:
        """`changed` is told of an endpoint whose `health.checked` has changed."""
        self._policy = policy
        self._probe = probe
        self._changed = changed
        self._rhythm = rhythm
        self._tasks: dict[M, asyncio.Task[None]] = {}

    def watch(self, members: Sequence[M]) -> None:
        """Ask these from now on, and nobody else."""
        for gone in [member for member in self._tasks if member not in members]:
            self._tasks.pop(gone).cancel()
        for member in members:
            if member not in self._tasks:
                member.health.checked = self._policy.initially == "healthy"
                self._tasks[member] = asyncio.create_task(self._ask_again_and_again(member))

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_again_and_again(self, member: M) -> None:
        policy, rhythm = self._policy, self._rhythm
        streak = Streak(policy)
        # Spread from the start: many gateways that start together would ask together.
        await rhythm.sleep(policy.interval_s * policy.jitter * rhythm.random())
        while True:
            fault = await self._probe(member.endpoint)
            if streak.count(passed=not fault):
                member.health.checked = streak.well
                _logger.warning(
                    "%s is %s", member.endpoint.authority, f"unhealthy: {fault}" if fault else "healthy again"
                )
                self._changed(member)
            await rhythm.sleep(policy.interval_s * (1 + policy.jitter * rhythm.random()))
