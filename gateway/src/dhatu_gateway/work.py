"""A worker process: it serves what the parent says, and changes to something else when all do."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import uvloop

from dhatu_gateway.app import Gateway
from dhatu_gateway.core.discovery.key_values import OverridesView
from dhatu_gateway.core.discovery.registration import RegistrationView
from dhatu_gateway.core.server.config import server_config
from dhatu_gateway.deployment import Deployment, read_table_of
from dhatu_gateway.monitoring.logging import configure_logging
from dhatu_gateway.processes.channel import Channel
from dhatu_gateway.processes.garbage import building
from dhatu_gateway.processes.server import DrainingServer
from dhatu_gateway.reloading import Outcome, Together
from dhatu_gateway.settings import Settings

Signals: TypeAlias = Mapping[signal.Signals, Callable[[], object]]
"""What to do on which."""


def server_of(
    settings: Settings, gateway: Gateway, signals: Signals, ready: Callable[[], object]
) -> DrainingServer:
    """The server of one process."""
    config = server_config(gateway, limits=settings.connections, lifecycle=gateway.lifecycle, tls=gateway.tls)
    return DrainingServer(config, gateway.lifecycle, signals, ready)


def run_worker(listener: socket.socket, end: socket.socket) -> None:
    """Serve in a process of its own; the parent is at the other end of the channel."""
    # A terminal sends these to the workers too; what they mean for all is for the parent to say.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(listener, end))


async def _work(listener: socket.socket, end: socket.socket) -> None:
    member = _Member()
    channel = await Channel.open(end, member.answer)
    started: tuple[int, Deployment] = await channel.call("deployment")
    number, deployment = started

    async def join() -> None:
        nonlocal number
        while (newer := await channel.call("join", number)) is not None:
            number, changed = newer
            outcome = await gateway.prepare(changed)
            if outcome.problems:
                raise ValueError("; ".join(outcome.problems))
            gateway.commit()

    async def reload(actor: str) -> Outcome:
        outcome: Outcome = await channel.call("reload", actor)
        return outcome

    async def workers() -> Sequence[int]:
        pids: Sequence[int] = await channel.call("workers")
        # One that has only just begun may not be on the list yet.
        return sorted({*pids, os.getpid()})

    async def registration() -> RegistrationView:
        view: RegistrationView = await channel.call("registration")
        return view

    async def overrides() -> OverridesView:
        view: OverridesView = await channel.call("overrides")
        return view

    gateway = member.gateway = Gateway(
        deployment.settings,
        read_table_of(deployment),
        together=Together(reload=reload, workers=workers, registration=registration, overrides=overrides),
        joining=join,
        finish=configure_logging(),
    )
    lifecycle = gateway.lifecycle

    def ready() -> None:
        loop = asyncio.get_running_loop()
        # Without its parent a worker would keep the address for ever.
        orphaned = loop.create_task(channel.closed())
        orphaned.add_done_callback(lambda _: lifecycle.drain(delayed=False))
        member.tasks |= {orphaned, loop.create_task(channel.call("ready"))}

    server = server_of(deployment.settings, gateway, {signal.SIGTERM: lifecycle.stop}, ready)
    await server.serve(sockets=[listener])


class _Member:
    """Does what the parent says."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self.tasks: set[asyncio.Task[Any]] = set()

    async def answer(self, name: str, argument: Any) -> Any:
        gateway = self.gateway
        if gateway is None:
            return None
        match name:
            case "drain":
                gateway.lifecycle.drain(delayed=argument)
            case "cut":
                gateway.lifecycle.cut()
            case "prepare":
                deployment: Deployment = argument
                with building():
                    return await gateway.prepare(deployment)
            case "commit":
                gateway.commit()
            case "abandon":
                await gateway.abandon()
            case _:  # a ping
                pass
        return None
