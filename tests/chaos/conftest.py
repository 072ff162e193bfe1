"""The table of this specification is made once; tests that leave a gateway as it was have one in common."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chaos.specification import generate
from chaos.world import Stage, stage

Stages = Callable[[int], Stage]


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("chaos"))


@pytest.fixture(scope="session")
def stages(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stages]:
    """A gateway by how many workers it has; another one where a test has left it dead."""
    with ExitStack() as stack:
        known: dict[int, Stage] = {}

        def get(workers: int) -> Stage:
            if workers not in known or known[workers].gateway.process.poll() is not None:
                directory = tmp_path_factory.mktemp("gateway")
                started = stage(directory, table, GATEWAY_WORKERS=str(workers))
                known[workers] = stack.enter_context(started)
            return known[workers]

        yield get


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One after the other: each has several processes at work."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("chaos"))
