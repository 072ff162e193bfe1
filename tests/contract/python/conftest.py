"""One generated SDK for all cases."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from . import library


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The SDK, imported."""
    folder = tmp_path_factory.mktemp("library")
    library.generate(folder)
    yield library.load(folder)
    library.unload(folder)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "TOKEN", "USERNAME", "PASSWORD", "BASE_URL"):
        monkeypatch.delenv(f"LIBRARY_{name}", raising=False)
