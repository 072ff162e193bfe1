"""How far a run has come: a bar on a terminal once the run takes a second, and nothing anywhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Progress: TypeAlias = Callable[[str, float], None]
"""Called as a stage begins: what it does, and which share of the run lies behind it (0 to 1)."""

_AFTER_S: Final = 1.0


def silent(stage: str, share: float) -> None:
    """Says nothing."""


class Timer(Protocol):
    """What is used of `threading.Timer`."""

    def start(self) -> None: ...

    def cancel(self) -> None: ...


def _timer(delay_s: float, act: Callable[[], None]) -> Timer:
    timer = threading.Timer(delay_s, act)
    timer.daemon = True
    return timer


class Bar:
    """Draws the bar while it is entered; `timer` calls a function after some seconds, from another thread."""

    def __init__(
        self, terminal: bool, console: Callable[[], Console], timer: Callable[..., Timer] = _timer
    ) -> None:
        self._console = console
        self._timer = timer(_AFTER_S, self._show) if terminal else None
        self._lock = threading.Lock()
        self._stage = ""
        self._percent = 0
        self._shown: tuple[RichProgress, TaskID] | None = None
        self._over = False

    def __enter__(self) -> Bar:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._over = True
            if self._shown is not None:
                self._shown[0].stop()

    def __call__(self, stage: str, share: float) -> None:
        with self._lock:
            self._stage, self._percent = stage, round(100 * share)
            if self._shown is not None:
                bar, task = self._shown
                bar.update(task, description=stage, completed=self._percent)

    def _show(self) -> None:
        from rich.progress import Progress as RichProgress

        with self._lock:
            if self._over:
                return
            bar = RichProgress(console=self._console(), transient=True)
            self._shown = (bar, bar.add_task(self._stage, total=100, completed=self._percent))
            bar.start()


def stderr_bar() -> Bar:
    """A bar on standard error, where that is a terminal."""
    import sys

    return Bar(sys.stderr.isatty(), _stderr_console)


def _stderr_console() -> Console:
    from rich.console import Console

    return Console(stderr=True)
