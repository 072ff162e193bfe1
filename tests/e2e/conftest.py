"""One real platform for all end-to-end tests: processes, sockets and stores as in production, on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from dhatu_client import DhatuAPI, SyncDhatuAPI
from dhatu_reference.stack import ALL_SCOPES, Stack

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps all of these tests in one worker, so that one platform is started and not one per core."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("platform"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture
def base_url(stack: Stack) -> str:
    return stack.addresses.gateway


@pytest.fixture
def api_key(stack: Stack) -> str:
    """A fresh key with every scope: limits count per key, so that no test uses up another's."""
    with SyncDhatuAPI(base_url=stack.addresses.gateway, api_key=stack.api_key) as client:
        return client.api_keys.create("test", scopes=ALL_SCOPES).key


@pytest.fixture
async def client(base_url: str, api_key: str) -> AsyncIterator[DhatuAPI]:
    async with DhatuAPI(base_url=base_url, api_key=api_key) as opened:
        yield opened
