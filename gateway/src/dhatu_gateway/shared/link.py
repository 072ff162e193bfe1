"""The circuit around Redis: closed while there is a connection that answers, open until there is one again.

While it is open nobody waits for the server: one task makes the connection anew, with a random pause that
grows, so that neither the callers nor all processes at once run against a server that is coming back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from dhatu_gateway.shared.wire import RedisReplyError, Reply, Wire, encode

TIMEOUT_S = 0.25
"""Nothing that is shared is worth a slow request: what takes longer is taken for dead."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
STEADY_S = 5.0
"""A connection that lasted less did not prove that the server is well; the pauses go on growing."""

UNFIT = ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "NOAUTH", "WRONGPASS", "NOPERM")
"""Codes of replies after which asking again at once is of no use."""

_logger = logging.getLogger("dhatu.shared")


class StorageUnavailableError(Exception):
    """The server that keeps what is shared cannot be asked."""


def checked(reply: Reply) -> Reply:
    """The reply itself; raises `StorageUnavailableError` where the server has refused the command."""
    if isinstance(reply, RedisReplyError):
        raise StorageUnavailableError(str(reply)) from reply
    return reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the server is, and what it wants to hear first."""

    host: str
    port: int
    path: str
    """Of its Unix socket; empty where it listens on a port."""
    tls: ssl.SSLContext | None
    greetings: tuple[bytes, ...] = field(repr=False)
    """Commands that open every connection; they may hold a password."""


def server_at(url: str, password: str | None = None) -> Server:
    """Read a `redis://`, `rediss://` or `unix://` URL; raises `ValueError` for options that are not known.

    It may say less than the client of the stores reads: loading that client would take 6 MB of each worker.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    is_socket = parts.scheme == "unix"
    database = options.pop("db", "" if is_socket else unquote(parts.path).strip("/")) or "0"
    if not (database.isascii() and database.isdigit()):
        raise ValueError(f"REDIS_URL: a database is a number from 0, not {database!r}")
    username = unquote(parts.username or "") or options.pop("username", "")
    password = unquote(parts.password or "") or options.pop("password", "") or password
    greetings: list[bytes] = []
    if password:
        greetings.append(encode("AUTH", *([username] if username else []), password))
    if int(database):
        greetings.append(encode("SELECT", int(database)))
    server = Server(
        host=unquote(parts.hostname or "localhost"),
        port=parts.port or 6379,
        path=unquote(parts.path) if is_socket else "",
        tls=_tls(options.pop("ssl_ca_certs", None)) if parts.scheme == "rediss" else None,
        greetings=tuple(greetings),
    )
    if options:
        raise ValueError(f"REDIS_URL has options that are not known: {', '.join(sorted(options))}")
    return server


def _tls(authorities: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise ValueError(f"REDIS_URL: ssl_ca_certs={authorities} cannot be read: {error}") from error


class Link:
    """Asks the server, or says at once that it cannot be asked."""

    def __init__(
        self,
        server: Server,
        *,
        timeout_s: float = TIMEOUT_S,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` returns numbers from 0 up to 1."""
        self._server = server
        self._timeout_s = timeout_s
        self._chance = chance
        self._wire: Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.attempts = 0
        """Connections that were tried."""

    @property
    def is_closed(self) -> bool:
        """Whether the circuit is closed: the server is asked."""
        return self._wire is not None

    async def open(self) -> None:
        """Connect, and keep connected until `close`; returns after the first attempt, whatever came of it."""
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep(first))
        await asyncio.wait((first, self._keeper), return_when=asyncio.FIRST_COMPLETED)
        if self._keeper.done():
            self._keeper.result()

    async def ask(self, command: bytes) -> Reply:
        """The reply to an encoded command.

        Raises `StorageUnavailableError`, without any delay while the circuit is open.
        """
        wire = self._wire
        if wire is None:
            raise StorageUnavailableError("there is no connection to the server")
        try:
            reply = await wire.ask(command)
        except ConnectionError as error:
            self._lose(wire)
            raise StorageUnavailableError(str(error)) from error
        if _is_unfit(reply):
            self._lose(wire)
        return reply

    def tell(self, commands: Sequence[bytes], lost: Callable[[], None]) -> None:
        """Send encoded commands for whose replies nobody waits; there has to be one.

        `lost` is called where they may have come to nothing.
        """
        wire = self._wire
        if wire is None:
            lost()
            return

        def look(answer: asyncio.Future[Reply]) -> None:
            if answer.exception() is not None or _is_unfit(answer.result()):
                self._lose(wire)
                lost()

        wire.ask_all(commands).add_done_callback(look)

    async def close(self) -> None:
        """Close the connection for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._wire is not None:
            self._lose(self._wire)

    def _lose(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = None
        wire.close()

    async def _keep(self, first: asyncio.Future[None]) -> None:
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            try:
                wire = await self._connect()
            except (OSError, TimeoutError, RedisReplyError) as error:
                failures += 1
                if failures == 1:
                    _logger.warning("nothing is shared, the server is out: %s", error or type(error))
            else:
                self._wire, since_s = wire, loop.time()
                if failures:
                    _logger.warning("limits and the rest are shared again, the server is back")
                if not first.done():
                    first.set_result(None)
                await wire.lost
                self._lose(wire)
                _logger.warning("nothing is shared, the connection to the server has ended")
                failures = 1 if loop.time() - since_s >= STEADY_S else failures + 1
            if not first.done():
                first.set_result(None)
            # Full jitter: the pauses of many processes, and of one that fails again and again, fall apart.
            longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - 1, 16))
            await asyncio.sleep(longest_s * (0.1 + 0.9 * self._chance()))

    async def _connect(self) -> Wire:
        """A connection on which the server has answered."""
        self.attempts += 1
        server, loop = self._server, asyncio.get_running_loop()
        wire: Wire | None = None

        def protocol() -> Wire:
            return Wire(self._timeout_s)

        async with asyncio.timeout(2 * self._timeout_s):
            if server.path:
                _, wire = await loop.create_unix_connection(protocol, server.path)
            else:
                _, wire = await loop.create_connection(protocol, server.host, server.port, ssl=server.tls)
            try:
                for command in (*server.greetings, encode("PING")):
                    reply = await wire.ask(command)
                    if isinstance(reply, RedisReplyError):
                        raise reply
            except BaseException:
                wire.close()
                raise
        return wire


def _is_unfit(reply: Reply) -> bool:
    return isinstance(reply, RedisReplyError) and str(reply).startswith(UNFIT)
