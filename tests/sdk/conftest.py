"""Both colours run the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sdk.support import AsyncCaller, Caller, Handler, SyncCaller


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "TOKEN", "BASE_URL"):
        monkeypatch.delenv(f"SAMPLE_{name}", raising=False)
        monkeypatch.delenv(f"DHATU_{name}", raising=False)


@pytest.fixture(params=[AsyncCaller, SyncCaller], ids=["async", "sync"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Caller]]:
    """Makes callers of one colour, and closes them in the end."""
    callers: list[Caller] = []

    def make(handler: Handler | None = None, **settings: Any) -> Caller:
        caller: Caller = request.param(handler, **settings)
        callers.append(caller)
        return caller

    yield make
    for caller in callers:
        caller.close()
