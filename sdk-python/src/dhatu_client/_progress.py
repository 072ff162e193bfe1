"""Telling how far an upload or a download is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from ._call import OnProgress, Progress
from ._encoding.content import CHUNK_BYTES, Body, BytesBody
from ._errors import ConfigurationError


class Meter:
    """Tells a listener, a bar on the terminal, both or nobody."""

    def __init__(self, on_progress: OnProgress | None, bar: Bar | None) -> None:
        self._on_progress = on_progress
        self._bar = bar

    @contextmanager
    def running(self) -> Generator[OnProgress, None, None]:
        """What to tell while it lasts."""
        try:
            yield self._tell
        finally:
            if self._bar is not None:
                self._bar.stop()

    def _tell(self, progress: Progress) -> None:
        if self._bar is not None:
            self._bar.show(progress)
        if self._on_progress is not None:
            self._on_progress(progress)


class MeteredBody:
    """A body that tells how much of it was sent; each attempt begins at 0 again.

    A piece counts as sent when the next one is asked for.
    """

    def __init__(self, body: Body, meter: Meter) -> None:
        self._body = body
        self._meter = meter

    @property
    def size_bytes(self) -> int | None:
        return self._body.size_bytes

    @property
    def repeatable(self) -> bool:
        return self._body.repeatable

    def chunks(self) -> Iterator[bytes]:
        body = self._body
        with self._meter.running() as tell:
            total, done = body.size_bytes, 0
            tell(Progress(0, total))
            for chunk in _cut(body.data) if isinstance(body, BytesBody) else body.chunks():
                yield chunk
                done += len(chunk)
                tell(Progress(done, total))

    async def achunks(self) -> AsyncIterator[bytes]:
        body = self._body
        if isinstance(body, BytesBody):
            for chunk in self.chunks():
                yield chunk
            return
        with self._meter.running() as tell:
            total, done = body.size_bytes, 0
            tell(Progress(0, total))
            async for chunk in body.achunks():
                yield chunk
                done += len(chunk)
                tell(Progress(done, total))


def _cut(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


class Bar:
    """A progress bar of `rich`, drawn on a terminal alone, and only when there is something to tell."""

    def __init__(self, label: str, distribution: str) -> None:
        """Raises `ConfigurationError` where `rich` is missing, which is an extra of the distribution."""
        try:
            from rich import progress as rich
            from rich.console import Console
        except ImportError as error:
            extra = f"{distribution}[progress]"
            raise ConfigurationError(f"progress=True needs rich: pip install '{extra}'") from error
        self._rich: Any = rich
        self._console = Console(stderr=True)
        self._label = label
        self._shown: Any = None
        self._task: Any = None

    def show(self, progress: Progress) -> None:
        if not self._console.is_terminal:
            return
        if self._shown is None:
            rich = self._rich
            self._shown = rich.Progress(
                rich.TextColumn("{task.description}"),
                rich.BarColumn(),
                rich.DownloadColumn(),
                rich.TransferSpeedColumn(),
                rich.TimeRemainingColumn(),
                console=self._console,
            )
            self._shown.start()
            self._task = self._shown.add_task(self._label, total=progress.total_bytes)
        self._shown.update(self._task, completed=progress.done_bytes, total=progress.total_bytes)

    def stop(self) -> None:
        if self._shown is not None:
            self._shown.stop()
            self._shown = None
