"""The table of this specification is made once; each test starts processes of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.specification import generate


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("chaos"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One after the other: each has several processes at work."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("chaos"))
