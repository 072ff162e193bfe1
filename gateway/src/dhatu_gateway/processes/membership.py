"""Keeps the gateway registered in Consul from when it serves until it begins to end: once for all workers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace

from dhatu_gateway.core.discovery.discovery import DiscoveryConfig
from dhatu_gateway.core.discovery.http import JsonClient
from dhatu_gateway.core.discovery.registration import OwnService, Registration, RegistrationView


class Membership:
    """In the process that the operator has started; all of it inside the event loop."""

    def __init__(self, config: DiscoveryConfig, port: int, is_well: Callable[[], bool]) -> None:
        """`port` is listened on; `is_well` tells whether anybody serves."""
        self._client: JsonClient | None = None
        self._registration: Registration | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        if config.registration is not None and config.consul is not None:
            self._client = JsonClient(config.consul)
            own = named(config.registration, port, socket.gethostname())
            self._registration = Registration(own, self._client, is_well)

    async def view(self, _asked: object = None) -> RegistrationView:
        return RegistrationView() if self._registration is None else self._registration.view

    def join(self) -> None:
        """Register from now on; called once connections are taken."""
        if self._registration is not None and self._keeping is None and self._leaving is None:
            self._keeping = asyncio.get_running_loop().create_task(self._registration.keep())

    def leave(self) -> None:
        """Begin to take the entry back: nobody new shall come while the others are served."""
        if self._registration is not None and self._leaving is None:
            self._leaving = asyncio.get_running_loop().create_task(self._withdraw(self._registration))

    async def close(self) -> None:
        """Leave, and wait for that a little."""
        self.leave()
        if self._leaving is not None:
            await self._leaving
        if self._client is not None:
            await self._client.close()

    async def _withdraw(self, registration: Registration) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await registration.withdraw()


def named(own: OwnService, port: int, host: str) -> OwnService:
    """The same with what is only known once it listens.

    >>> named(OwnService(name="edge"), 8000, "web-1").identifier
    'edge-web-1-8000'
    """
    port = own.port or port
    return replace(own, port=port, identifier=own.identifier or f"{own.name}-{host}-{port}")
