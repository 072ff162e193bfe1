"""What is made of files is made anew when they change, and never of half of them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from dhatu_gateway.core.tls.renewal import LOOK_S, Renewed
from gateway.auth.support import Clock


def number(path: Path) -> int:
    return int(path.read_text())


def renewed(path: Path, clock: Clock) -> Renewed[int]:
    return Renewed("the number", [path], lambda: number(path), clock=clock)


def test_a_change_is_taken_up_at_the_next_look(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "number"
    path.write_text("1")
    value = renewed(path, clock)
    path.write_text("22")
    assert value.get() == 1, "it does not look at every call"
    clock.now_s += LOOK_S
    assert value.get() == 22


def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path, clock: Clock) -> None:
    """As Kubernetes swaps the files of a secret: the link to their folder is replaced."""
    for folder, content in (("a", "1"), ("b", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "number").write_text(content)
        os.utime(tmp_path / folder / "number", (1, 1))
    (tmp_path / "data").symlink_to("a")
    value = renewed(tmp_path / "data" / "number", clock)
    (tmp_path / "new").symlink_to("b")
    os.replace(tmp_path / "new", tmp_path / "data")
    clock.now_s += LOOK_S
    assert value.get() == 2


def test_files_that_cannot_be_used_change_nothing_and_are_complained_of_once(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "number"
    path.write_text("1")
    value = renewed(path, clock)
    for content in ("", "", "  "):
        path.write_text(content)
        clock.now_s += LOOK_S
        assert value.get() == 1
    path.unlink()
    clock.now_s += LOOK_S
    assert value.get() == 1
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3  # of an empty text, of blanks, and of no file
    assert errors[0].startswith("the number: the change is not taken up, what held before holds: ")
    path.write_text("3")
    clock.now_s += LOOK_S
    assert value.get() == 3


def test_the_first_value_must_be_one(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(FileNotFoundError):
        renewed(tmp_path / "missing", clock)
