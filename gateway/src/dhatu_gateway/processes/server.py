"""uvicorn's server, ended our way: what is under way is answered, whoever waits is told to go elsewhere."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import cast

import uvicorn

from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.server.protocol import ServerProtocol
from dhatu_gateway.processes.garbage import building

IDLE_S = 1.0
"""A connection on which nothing has come for so long is closed when the process drains; one that was used
later may have its next request on its way."""
_LOOK_S = 0.05
_CLEAN_UP_S = 5.0
"""How long requests that have been cut off may take to let go of what they hold."""

_logger = logging.getLogger("dhatu.server")


class DrainingServer(uvicorn.Server):
    """Serves until its `Lifecycle` is told to drain.

    `signals` are what it does on which signal while it serves; no other signal is touched. `ready` is called
    once connections are taken.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        lifecycle: Lifecycle,
        signals: Mapping[signal.Signals, Callable[[], object]],
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._lifecycle = lifecycle
        self._signals = signals

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take uvicorn's place at the signals; called by it, inside the event loop."""
        loop = asyncio.get_running_loop()
        for number, act in self._signals.items():
            loop.add_signal_handler(number, act)
        try:
            yield
        finally:
            for number in self._signals:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with building():
            await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; True ends its loop."""
        await super().on_tick(counter)
        return not self._lifecycle.accepting

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, let what is under way end in its time, then cut it off."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        looks = 0
        while (self._connections or self.server_state.tasks) and self._lifecycle.left_s:
            for connection in tuple(self._connections):
                connection.retire(idle_s=IDLE_S)
            if looks % round(1 / _LOOK_S) == 0:
                await super().on_tick(0)  # the Date field goes on
            looks += 1
            await asyncio.sleep(min(_LOOK_S, self._lifecycle.left_s))
        await self._cut()
        await self.lifespan.shutdown()

    @property
    def _connections(self) -> set[ServerProtocol]:
        return cast("set[ServerProtocol]", self.server_state.connections)

    async def _cut(self) -> None:
        if self._connections:
            _logger.warning("cut off %d connections that did not end in time", len(self._connections))
        for connection in tuple(self._connections):
            connection.transport.abort()
        tasks = tuple(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLEAN_UP_S)
