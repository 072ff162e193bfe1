"""How a process and the one that started it talk: calls in both directions over one pair of sockets."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

Answer: TypeAlias = Callable[[str, Any], Awaitable[Any]]
"""Answers the other side's call, by its name and argument."""

_SIZE: Final = struct.Struct(">I")

_logger = logging.getLogger("dhatu.processes")


class ChannelClosedError(Exception):
    """The process on the other side is gone."""


class Channel:
    """One end. Values are pickled: both ends are the same program, and nobody else has the sockets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._reading = asyncio.get_running_loop().create_task(self._read())
        self._closed = False

    @classmethod
    async def open(cls, end: socket.socket, answer: Answer) -> Channel:
        reader, writer = await asyncio.open_connection(sock=end)
        return cls(reader, writer, answer)

    async def call(self, name: str, argument: Any = None) -> Any:
        """Ask the other side; raises `ChannelClosedError` where it is gone before it has answered."""
        if self._closed:
            raise ChannelClosedError(name)
        number = next(self._numbers)
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(number, name, argument)
            return await asked
        finally:
            self._asked.pop(number, None)

    async def closed(self) -> None:
        """Return when the other side is gone."""
        await asyncio.wait((self._reading,))

    def close(self) -> None:
        self._reading.cancel()
        self._writer.close()

    def _send(self, number: int, name: str, value: Any) -> None:
        """An answer has the number of its call and no name."""
        data = pickle.dumps((number, name, value))
        self._writer.write(_SIZE.pack(len(data)) + data)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                (size,) = _SIZE.unpack(await self._reader.readexactly(_SIZE.size))
                number, name, value = pickle.loads(await self._reader.readexactly(size))
                if name:
                    task = loop.create_task(self._reply(number, name, value))
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
                elif (asked := self._asked.get(number)) is not None and not asked.done():
                    asked.set_result(value)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._closed = True
            self._writer.close()
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(ChannelClosedError("the other process is gone"))

    async def _reply(self, number: int, name: str, value: Any) -> None:
        try:
            answer = await self._answer(name, value)
        except Exception:
            _logger.exception("the call %s of another process failed", name)
            self._closed = True
            self._writer.close()
            return
        if not self._closed:
            self._send(number, "", answer)
