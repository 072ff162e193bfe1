"""The bar comes late, on a terminal only, and goes again."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from dhatu_codegen.writing.progress import Bar
from rich.console import Console


class Timer:
    """Fires when the test says so."""

    def __init__(self) -> None:
        self.act: Callable[[], None] | None = None
        self.delay_s = 0.0
        self.cancelled = False

    def __call__(self, delay_s: float, act: Callable[[], None]) -> Timer:
        self.delay_s, self.act = delay_s, act
        return self

    def start(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


def bar(text: StringIO, timer: Timer, *, terminal: bool = True) -> Bar:
    return Bar(terminal, lambda: Console(file=text, force_terminal=True, width=80), timer)


def test_a_run_of_more_than_a_second_shows_how_far_it_is() -> None:
    text, timer = StringIO(), Timer()
    with bar(text, timer) as progress:
        progress("reading the specs", 0.0)
        assert timer.delay_s == 1.0
        assert timer.act is not None
        timer.act()
        progress("rendering: python", 0.75)
    assert "rendering: python" in text.getvalue()
    assert "75%" in text.getvalue()


def test_a_short_run_shows_nothing() -> None:
    text, timer = StringIO(), Timer()
    with bar(text, timer) as progress:
        progress("reading the specs", 0.0)
    assert timer.cancelled
    assert timer.act is not None
    timer.act()  # too late: it had fired already
    assert text.getvalue() == ""


def test_a_pipe_gets_no_bar() -> None:
    text, timer = StringIO(), Timer()
    with bar(text, timer, terminal=False) as progress:
        progress("reading the specs", 0.0)
    assert timer.act is None
    assert text.getvalue() == ""
