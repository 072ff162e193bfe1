"""A worker process, as the one that started it sees it."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from dhatu_gateway.processes.channel import Channel, ChannelClosedError

Target: TypeAlias = Callable[[socket.socket, socket.socket], None]
"""What a worker runs, with the socket that it listens on and its end of the channel."""
Hear: TypeAlias = Callable[["Worker", str, Any], Awaitable[Any]]
"""Answers a worker's call."""

_spawn = multiprocessing.get_context("spawn")  # a fork would copy threads, locks and the loop of the parent


class Worker:
    """One process; made by `start`, inside the event loop."""

    def __init__(self, target: Target, listener: socket.socket, theirs: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._process = _spawn.Process(target=target, args=(listener, theirs), name="dhatu-worker")
        self._process.start()
        self.pid = self._process.pid or 0
        self._channel: Channel | None = None
        self._loop = loop
        self.exited: asyncio.Future[int] = loop.create_future()
        """The exit code; negative for the signal that ended it."""
        self.ready: asyncio.Future[bool] = loop.create_future()
        """False where it ended before it could serve."""
        self.ready_at_s = float("inf")
        """On the loop's clock."""
        loop.add_reader(self._process.sentinel, self._ended)

    @classmethod
    async def start(cls, target: Target, listener: socket.socket, hear: Hear) -> Worker:
        """Start a process; `hear` answers what it asks."""
        ours, theirs = socket.socketpair()
        with theirs:
            worker = cls(target, listener, theirs)

        async def answer(name: str, argument: Any) -> Any:
            return await hear(worker, name, argument)

        worker._channel = await Channel.open(ours, answer)
        return worker

    @property
    def served_s(self) -> float:
        """For how long it has served; zero where it never did."""
        return max(0.0, self._loop.time() - self.ready_at_s)

    def is_ready(self) -> None:
        """Note that it serves."""
        if not self.ready.done():
            self.ready_at_s = self._loop.time()
            self.ready.set_result(True)

    async def call(self, name: str, argument: Any = None) -> Any:
        """Ask it something; raises `ChannelClosedError` where it is gone."""
        if self._channel is None:
            raise ChannelClosedError(name)
        return await self._channel.call(name, argument)

    async def tell(self, name: str, argument: Any = None) -> None:
        """Tell it something; a worker that is gone needs no telling."""
        with contextlib.suppress(ChannelClosedError):
            await self.call(name, argument)

    def kill(self) -> None:
        self._process.kill()

    def _ended(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._process.join()
        code = self._process.exitcode
        self._process.close()
        if self._channel is not None:
            self._channel.close()
        self.exited.set_result(-1 if code is None else code)
        if not self.ready.done():
            self.ready.set_result(False)
