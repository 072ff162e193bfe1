"""Keeps so many workers running, replaces those that die or hang, and ends them in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from dhatu_gateway.core.lifecycle import Drain
from dhatu_gateway.processes.agreement import Agreement
from dhatu_gateway.processes.channel import ChannelClosedError
from dhatu_gateway.processes.restarts import Restarts
from dhatu_gateway.processes.worker import Target, Worker

GIVE_UP_AFTER = 6
"""Failed starts in a row, after which a gateway without any worker ends."""

_logger = logging.getLogger("dhatu.processes")


class WorkersCannotStartError(Exception):
    """No worker serves, and none can be started; each has logged its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How many workers there are, and how patient one is with them."""

    workers: int
    drain: Drain
    ready_within_s: float = 120.0
    ping_every_s: float = 5.0
    hung_after_s: float = 30.0
    """A worker whose event loop has not answered for so long is killed."""
    margin_s: float = 10.0
    """Beyond its drain, until a worker that does not end is killed."""


@dataclass(slots=True)
class Place:
    """One place among the workers, and who holds it."""

    worker: Worker
    restarts: Restarts = field(default_factory=Restarts)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Supervisor:
    """Runs in the parent process; `listener` is the socket that all workers accept from.

    `agreement` is on what the workers serve; `answers` are what else they may ask, by name.
    """

    def __init__(
        self,
        crew: Crew,
        target: Target,
        listener: socket.socket,
        agreement: Agreement[Any],
        answers: Mapping[str, Callable[[Any], Awaitable[Any]]],
    ) -> None:
        self._crew = crew
        self._target = target
        self._listener = listener
        self.agreement = agreement
        self._answers = answers
        self._places: list[Place] = []
        self._alive: set[Worker] = set()
        """Those that start or drain, too."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = asyncio.Event()
        self._stop = asyncio.Event()
        self._cut = asyncio.Event()
        self._failure: str | None = None
        self._restarting = asyncio.Lock()

    async def run(self, ready: Callable[[], object] = lambda: None) -> None:
        """Serve until `stop`; `ready` is called once all serve. Raises `WorkersCannotStartError`."""
        started = await asyncio.gather(*(self._launch() for _ in range(self._crew.workers)))
        if all([await self._is_ready(worker) for worker in started]):
            self._places = [Place(worker) for worker in started]
            for place in self._places:
                self._spawn(self._watch(place, place.worker))
            ready()
            self._started.set()
            await self._stop.wait()
        elif not self._stop.is_set():
            self._failure = "a worker cannot start, see what it has logged"
            self._cut.set()
        for task in tuple(self._tasks):
            task.cancel()
        await self._end()
        if self._failure is not None:
            raise WorkersCannotStartError(self._failure)

    def stop(self) -> None:
        """Drain all workers and end; called again, cut off what is still under way."""
        (self._cut if self._stop.is_set() else self._stop).set()

    def restart(self) -> None:
        """Replace the workers one after the other, each once its successor serves."""
        self._spawn(self._replace_all())

    @property
    def serves(self) -> bool:
        """Whether anybody takes requests."""
        return any(worker.ready_at_s < float("inf") for worker in self._alive)

    @property
    def signals(self) -> dict[signal.Signals, Any]:
        """What to do on which signal."""
        return {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGUSR2: self.restart}

    async def hear(self, worker: Worker, name: str, argument: Any) -> Any:
        """Answer what a worker asks or tells."""
        match name:
            case "deployment":
                return self.agreement.current
            case "join":
                return await self.agreement.join(worker, argument)
            case "ready":
                return worker.is_ready()
            case "workers":
                return sorted(place.worker.pid for place in self._places)
            case _:
                return await self._answers[name](argument)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _launch(self) -> Worker:
        worker = await Worker.start(self._target, self._listener, self.hear)
        self._alive.add(worker)
        worker.exited.add_done_callback(lambda _: self._forget(worker))
        return worker

    def _forget(self, worker: Worker) -> None:
        self._alive.discard(worker)
        self.agreement.leave(worker)

    async def _is_ready(self, worker: Worker) -> bool:
        """Wait until a worker serves; one that takes too long is killed."""
        try:
            async with asyncio.timeout(self._crew.ready_within_s):
                return await asyncio.shield(worker.ready)
        except TimeoutError:
            _logger.error("worker %d does not begin to serve; it is killed", worker.pid)
            worker.kill()
            return False

    async def _watch(self, place: Place, worker: Worker) -> None:
        """Fill the place anew when its worker has died, unless another has taken it over."""
        pings = asyncio.get_running_loop().create_task(self._ping(worker))
        try:
            code = await asyncio.shield(worker.exited)
        finally:
            pings.cancel()
        async with place.changing:
            if place.worker is worker:
                await self._refill(place, worker, code)

    async def _refill(self, place: Place, worker: Worker, code: int) -> None:
        pid, served_s = worker.pid, worker.served_s
        while True:
            delay_s = place.restarts.delay_s(served_s)
            _logger.error("worker %d has ended %s; the next one starts in %.1f s", pid, _how(code), delay_s)
            await asyncio.sleep(delay_s)
            successor = await self._launch()
            if await self._is_ready(successor):
                return self._install(place, successor)
            pid, served_s, code = successor.pid, 0.0, await asyncio.shield(successor.exited)
            self._consider_giving_up()

    def _install(self, place: Place, worker: Worker) -> None:
        place.worker = worker
        self._spawn(self._watch(place, worker))

    def _consider_giving_up(self) -> None:
        nobody = all(place.worker.exited.done() for place in self._places)
        if nobody and all(place.restarts.failures >= GIVE_UP_AFTER for place in self._places):
            self._failure = "no worker serves, and none can be started; see what they have logged"
            self._stop.set()

    async def _ping(self, worker: Worker) -> None:
        while True:
            await asyncio.sleep(self._crew.ping_every_s)
            try:
                async with asyncio.timeout(self._crew.hung_after_s):
                    await worker.call("ping")
            except ChannelClosedError:
                return
            except TimeoutError:
                _logger.error("worker %d does not answer; it is killed", worker.pid)
                worker.kill()
                return

    async def _replace_all(self) -> None:
        await self._started.wait()
        async with self._restarting:
            for place in self._places:
                async with place.changing:
                    former, successor = place.worker, await self._launch()
                    if not await self._is_ready(successor):
                        _logger.error("a new worker cannot start: the others stay, none is replaced any more")
                        return
                    self._install(place, successor)
                # The others go on to accept from the same socket, so nobody needs to be warned.
                await former.tell("drain", False)
                await self._exits({former})

    async def _end(self) -> None:
        """Let every worker drain; a second `stop` cuts them off."""
        self._listener.close()  # else the system would go on to take connections that nobody serves
        loop = asyncio.get_running_loop()
        workers = set(self._alive)
        for worker in workers:
            if not worker.ready.done():
                worker.kill()  # nobody waits for its answers
        told = [loop.create_task(worker.tell("drain", True)) for worker in workers]
        ended = loop.create_task(self._exits(workers))
        cut = loop.create_task(self._cut.wait())
        await asyncio.wait({ended, cut}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            told += [loop.create_task(worker.tell("cut")) for worker in workers]
            await asyncio.wait({ended}, timeout=self._crew.margin_s)
            for worker in tuple(self._alive):
                worker.kill()
            await ended
        cut.cancel()
        await asyncio.gather(*told)

    async def _exits(self, workers: set[Worker]) -> None:
        """Return when they have ended; those that take longer than they may are killed."""
        drain = self._crew.drain
        exits = {worker: asyncio.shield(worker.exited) for worker in workers}
        if not exits:
            return
        await asyncio.wait(exits.values(), timeout=drain.delay_s + drain.grace_s + self._crew.margin_s)
        for worker, exited in exits.items():
            if not exited.done():
                _logger.error("worker %d does not end; it is killed", worker.pid)
                worker.kill()
        await asyncio.wait(exits.values())


def _how(code: int) -> str:
    """Say how a process ended.

    >>> _how(-9), _how(3)
    ('by SIGKILL', 'with code 3')
    """
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
