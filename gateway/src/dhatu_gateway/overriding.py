"""Lets overrides in Consul take over, in all processes together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from dhatu_gateway.core.discovery.http import JsonClient
from dhatu_gateway.core.discovery.key_values import AllOverrides, OverrideKeys, OverridesView
from dhatu_gateway.core.discovery.overrides import InvalidOverrides
from dhatu_gateway.deployment import Deployment, read_table_of
from dhatu_gateway.overridden import overridden
from dhatu_gateway.reloading import Outcome


class Overriding:
    """In the process that the operator has started; all of it inside the event loop."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._client: JsonClient | None = None
        self._keys: OverrideKeys | None = None
        self._following: asyncio.Task[None] | None = None
        config = deployment.settings.discovery
        if config.consul is not None and config.key_prefix:
            self._client = JsonClient(config.consul)
            services = frozenset(deployment.settings.origins) - deployment.settings.mocked
            self._keys = OverrideKeys(self._client, config.key_prefix, services)

    async def view(self, _asked: object = None) -> OverridesView:
        return OverridesView() if self._keys is None else self._keys.view

    async def first(self) -> AllOverrides:
        """What the start begins with; nothing where nobody says so in time."""
        return {} if self._keys is None else await self._keys.first(self._check)

    def follow(self, change: Callable[[AllOverrides], Awaitable[Outcome]]) -> None:
        """Begin to follow; called once it is served."""

        async def put_in_force(overrides: AllOverrides) -> None:
            outcome = await change(overrides)
            if outcome.problems:
                raise InvalidOverrides("; ".join(outcome.problems))

        if self._keys is not None and self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._keys.follow(put_in_force))

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def _check(self, overrides: AllOverrides) -> None:
        """Hold them against the table, as a worker would that cannot refuse them any more."""
        overridden(read_table_of(self._deployment), overrides)
