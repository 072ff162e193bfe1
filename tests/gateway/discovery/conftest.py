"""One fake Consul for all tests of a process, as good as new for each."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from gateway.discovery.support import FakeConsul


@pytest.fixture(scope="session")
def consul_process() -> Generator[FakeConsul]:
    fake = FakeConsul()
    yield fake
    fake.close()


@pytest.fixture
def consul(consul_process: FakeConsul) -> FakeConsul:
    consul_process.misbehave(reset=True)
    return consul_process
