"""Servers and names for the tests of providers and of whole clients."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from sdk.balance.servers import Consul, Names


@pytest.fixture
def consul() -> Iterator[Consul]:
    consul = Consul()
    yield consul
    consul.server.kill()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names
