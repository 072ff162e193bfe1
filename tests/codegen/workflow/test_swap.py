"""A swap that dies at any step leaves either what was there before or what was to be, once it is mended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from codegen.workflow.files import output, tree
from dhatu_codegen.writing.swap import Busy, locked, recover, swap

OLD = {"generated/a": b"old", "generated/b": b"old", "generated/deep/gone": b"old"}
NEW = {"generated/a": b"new", "generated/new/c": b"new", "generated/b": b"new"}
MUTATIONS = ((os, "replace"), (os, "rmdir"), (Path, "mkdir"), (Path, "unlink"), (Path, "write_bytes"))


class Killed(BaseException):
    """Stands for the end of the process: nothing may catch it."""


def prepare(root: Path) -> None:
    for path, content in OLD.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def fail_at(patch: pytest.MonkeyPatch, step: int, failure: BaseException) -> Callable[[], int]:
    """Let the change of the disk with this number fail, and tell how many were begun."""
    begun = 0

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **options: Any) -> Any:
            nonlocal begun
            begun += 1
            if begun == step:
                raise failure
            return real(*arguments, **options)

        return act

    for owner, name in MUTATIONS:
        patch.setattr(owner, name, guarded(getattr(owner, name)))
    return lambda: begun


def die_at(root: Path, step: int) -> None:
    """Begin a swap that does not come further than this."""
    with pytest.MonkeyPatch.context() as patch:
        fail_at(patch, step, Killed())
        with pytest.raises(Killed):
            swap(output(root), NEW, ["generated/deep/gone"])


def steps(root: Path) -> int:
    """How often a whole swap changes the disk."""
    prepare(root)
    with pytest.MonkeyPatch.context() as patch:
        count = fail_at(patch, 0, Killed())
        swap(output(root), NEW, ["generated/deep/gone"])
        return count()


def test_a_swap_does_all_of_it(tmp_path: Path) -> None:
    assert steps(tmp_path) > 10
    assert tree(tmp_path) == NEW
    assert not (tmp_path / "generated/deep").exists()
    assert recover(output(tmp_path)) is None


def test_a_swap_that_is_killed_at_any_step_can_be_mended(tmp_path: Path) -> None:
    outcomes: list[dict[str, bytes]] = []
    for step in range(1, steps(tmp_path / "whole") + 1):
        root = tmp_path / str(step)
        prepare(root)
        die_at(root, step)
        recover(output(root))
        outcomes.append(tree(root))
        assert outcomes[-1] in (OLD, NEW)
        assert recover(output(root)) is None
    assert outcomes == sorted(outcomes, key=lambda outcome: outcome == NEW), "once done, a swap stays done"
    assert outcomes[0] == OLD
    assert outcomes[-1] == NEW


def test_a_recovery_that_is_killed_at_any_step_can_be_repeated(tmp_path: Path) -> None:
    half = steps(tmp_path / "whole") - 12  # the first of the files is in its place then
    for step in range(1, 40):
        root = tmp_path / str(step)
        prepare(root)
        die_at(root, half)
        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, step, Killed())
            with contextlib.suppress(Killed):
                recover(output(root))
        recover(output(root))
        assert tree(root) == NEW


def test_an_error_at_any_step_puts_everything_back(tmp_path: Path) -> None:
    for step in range(1, steps(tmp_path / "whole") + 1):
        root = tmp_path / str(step)
        prepare(root)
        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, step, OSError("no space left"))
            try:
                swap(output(root), NEW, ["generated/deep/gone"])
            except OSError:
                expected = OLD
            else:
                expected = NEW
        recover(output(root))
        assert tree(root) == expected, step


def test_a_file_where_a_folder_must_go_leaves_all_others_as_they_were(tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(OSError, match="generated/a"):
        swap(output(tmp_path), {"generated/b": b"new", "generated/a/below": b"new"}, [])
    assert tree(tmp_path) == OLD


KILLED = """
import os, pathlib, signal, sys
from dhatu_codegen.writing.manifest import Output
from dhatu_codegen.writing.swap import swap
real, left = os.replace, int(sys.argv[2])
def replace(*paths):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*paths)
os.replace = replace
output = Output(root=pathlib.Path(sys.argv[1]), manifest="generated/manifest.json")
new = {path: b"new" for path in ("generated/a", "generated/new/c", "generated/b")}
swap(output, new, ["generated/deep/gone"])
"""


@pytest.mark.parametrize(("replacement", "expected"), [(1, OLD), (2, NEW), (4, NEW)])
def test_a_process_that_is_killed_for_good(
    tmp_path: Path, replacement: int, expected: dict[str, bytes]
) -> None:
    prepare(tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(replacement)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert recover(output(tmp_path)) is not None
    assert tree(tmp_path) == expected


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with locked(output(tmp_path)), pytest.raises(Busy), locked(output(tmp_path)):
        pass
    with locked(output(tmp_path)):
        pass
