"""Watching, without waiting: time passes only where the test lets it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from codegen.project import Project
from codegen.workflow.files import GATEWAY
from dhatu_codegen.commands.generate import Options, keep_current
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.writing.watch import POLL_S, QUIET_S, Snapshot, snapshot, watch


class Clock:
    """Counts the seconds slept, acts when their time has come, and presses Ctrl-C at the end."""

    def __init__(self, end_s: float, *events: tuple[float, Callable[[], None]]) -> None:
        self.now_s = 0.0
        self._events = sorted([*events, (end_s, self._interrupt)], key=lambda event: event[0])

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s
        while self._events and self._events[0][0] <= self.now_s:
            self._events.pop(0)[1]()

    def _interrupt(self) -> None:
        raise KeyboardInterrupt


class Files:
    """Files of which only the version is known."""

    def __init__(self) -> None:
        self.version = 0

    def change(self) -> None:
        self.version += 1

    def look(self) -> Snapshot:
        return {"spec/platform.yaml": (self.version, 1)}


def rebuilt_at(files: Files, clock: Clock) -> list[float]:
    found: list[float] = []
    watch(files.look, lambda: found.append(clock.now_s), clock.sleep)
    return found


def test_a_change_is_seen_well_within_a_second() -> None:
    files = Files()
    first, second = rebuilt_at(files, Clock(5.0, (1.01, files.change)))
    assert first == 0.0
    assert 0 < second - 1.01 <= POLL_S + QUIET_S


def test_without_a_change_nothing_is_rebuilt() -> None:
    assert rebuilt_at(Files(), Clock(60.0)) == [0.0]


def test_changes_in_a_row_lead_to_one_rebuild() -> None:
    files = Files()
    changes = [(1.0 + QUIET_S * number, files.change) for number in range(5)]
    assert len(rebuilt_at(files, Clock(5.0, *changes))) == 2


def test_files_that_never_rest_are_rebuilt_all_the_same() -> None:
    files = Files()
    changes = [(QUIET_S * number / 2, files.change) for number in range(200)]
    times = rebuilt_at(files, Clock(4.0, *changes))
    assert len(times) > 3
    assert all(later - earlier < 1.0 for earlier, later in pairwise(times))


def test_a_change_during_a_rebuild_leads_to_another() -> None:
    files, clock = Files(), Clock(5.0)
    rebuilds: list[float] = []

    def rebuild() -> None:
        rebuilds.append(clock.now_s)
        if len(rebuilds) == 1:
            files.change()

    watch(files.look, rebuild, clock.sleep)
    assert len(rebuilds) == 2


def test_ctrl_c_during_a_rebuild_ends_the_watch() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    watch(Files().look, interrupted, Clock(1.0).sleep)


def test_a_snapshot_holds_what_people_write_and_no_more(project: Project) -> None:
    project.simple("alpha", "/alpha")
    (project.root / "spec/generated").mkdir()
    (project.root / "spec/generated/openapi.yaml").write_text("")
    assert snapshot(project.root, ["gone.yaml"]).keys() == {
        "spec/platform.yaml",
        "spec/services/alpha.yaml",
        "spec/x-dhatu.schema.json",
    }


def test_errors_are_shown_and_the_last_good_files_kept(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.simple("alpha", "/alpha")
    routes = project.root / GATEWAY / "routes.py"
    service = project.root / "spec/services/alpha.yaml"
    good = service.read_text()
    seen: list[str] = []
    shown: list[str] = []

    def change(text: str) -> Callable[[], None]:
        def act() -> None:
            seen.append(routes.read_text())
            service.write_text(text)

        return act

    def show(diagnostics: Diagnostics) -> None:
        shown.extend(item.code for item in diagnostics.all)

    clock = Clock(
        3.0,
        (1.0, change(good + "  /broken: [\n")),
        (2.0, change(good.replace("/alpha", "/renamed"))),
    )
    keep_current(project.root, Options(show=show), clock.sleep)

    assert shown == ["DH002"]
    assert seen[0] == seen[1]
    assert "/renamed" in routes.read_text()
    told = capsys.readouterr().out
    assert told.count("watching spec/") == 3
    assert told.count("the files of the last good run are kept") == 1
