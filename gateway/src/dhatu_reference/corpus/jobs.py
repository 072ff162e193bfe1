"""Jobs that add documents in the background, and what they report on the way."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Final, Literal, TypeAlias, final

from .store import Store, timestamp

State: TypeAlias = Literal["queued", "running", "succeeded", "failed"]

REMEMBERED_JOBS: Final = 1000
_EVENTS_PER_JOB: Final = 50
_MAX_STEP_DOCUMENTS: Final = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of a job, numbered from 1."""

    sequence: int
    state: State
    documents_added: int
    documents_unchanged: int
    error: str
    """Empty where the job did not fail."""

    @property
    def final(self) -> bool:
        return self.state in ("succeeded", "failed")


@final
class Job:
    """Documents on their way into the index; its state is its last event."""

    def __init__(self, documents_total: int, created_at: str) -> None:
        self.id = f"job_{token_hex(8)}"
        self.documents_total = documents_total
        self.created_at = created_at
        self.finished_at = ""
        self._events: list[Event] = []
        self._changed = asyncio.Event()
        self.report("queued")

    @property
    def last(self) -> Event:
        return self._events[-1]

    def report(self, state: State, *, added: int = 0, unchanged: int = 0, error: str = "") -> None:
        """Append an event; the counts are added to those of the event before."""
        previous = self._events[-1] if self._events else None
        self._events.append(
            Event(
                sequence=len(self._events) + 1,
                state=state,
                documents_added=added + (previous.documents_added if previous else 0),
                documents_unchanged=unchanged + (previous.documents_unchanged if previous else 0),
                error=error,
            )
        )
        self._changed.set()
        self._changed = asyncio.Event()

    async def events(self, after: int, *, keep_alive_s: float) -> AsyncIterator[Event | None]:
        """Every event behind the sequence `after`, the final one in any case; None after a long silence."""
        position = min(after, len(self._events))
        if self.last.final:
            position = min(position, len(self._events) - 1)
        while True:
            while position < len(self._events):
                event = self._events[position]
                position += 1
                yield event
                if event.final:
                    return
            try:
                async with asyncio.timeout(keep_alive_s):
                    await self._changed.wait()
            except TimeoutError:
                yield None


@final
class Jobs:
    """Runs one job after the other, and remembers the newest."""

    def __init__(self, store: Store, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def start(self, batch: str, documents_total: int) -> Job:
        """A job that adds the documents staged under `batch`."""
        job = Job(documents_total, timestamp(self._now()))
        self._jobs[job.id] = job
        self._forget_oldest()
        task = asyncio.create_task(self._run(job, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    async def close(self) -> None:
        """Stops what is running; documents that were not added yet are lost."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, job: Job, batch: str) -> None:
        step = min(max(job.documents_total // _EVENTS_PER_JOB, 1), _MAX_STEP_DOCUMENTS)
        async with self._turn:
            try:
                job.report("running")
                while _done(job.last) < job.documents_total:
                    added, unchanged = await asyncio.to_thread(self._store.index_staged, batch, limit=step)
                    job.report("running", added=added, unchanged=unchanged)
            except Exception:
                _log.exception("Job %s failed", job.id)
                await self._discard(batch)
                self._finish(
                    job, "failed", error="The documents could not be added; the service's log says why."
                )
            else:
                self._finish(job, "succeeded")

    async def _discard(self, batch: str) -> None:
        try:
            await asyncio.to_thread(self._store.discard_staged, batch)
        except sqlite3.Error:
            _log.exception("The documents staged as %s could not be discarded", batch)

    def _finish(self, job: Job, state: State, *, error: str = "") -> None:
        job.finished_at = timestamp(self._now())
        job.report(state, error=error)

    def _forget_oldest(self) -> None:
        surplus = len(self._jobs) - REMEMBERED_JOBS
        finished = [job.id for job in self._jobs.values() if job.last.final]
        for job_id in finished[: max(surplus, 0)]:
            del self._jobs[job_id]


def _done(event: Event) -> int:
    return event.documents_added + event.documents_unchanged
