"""Every case, played to both clients of the Python SDK."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from .compare import check
from .files import Case, cases
from .play import play, play_async

_CASES = cases()
_BLOCKING = [case for case in _CASES if "concurrency" not in case.get("needs", ())]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["id"])
def test_async(package: ModuleType, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, case)
    check(play_async(package, case["given"], tmp_path), case["expected"])


@pytest.mark.parametrize("case", _BLOCKING, ids=lambda case: case["id"])
def test_sync(package: ModuleType, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, case)
    check(play(package, case["given"], tmp_path), case["expected"])


def _set(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    for name, text in case["given"].get("environment", {}).items():
        monkeypatch.setenv(name, text)
