"""A provider with one key, and the gateway's side of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from gateway.auth.providers.support import Bench, bench


@pytest.fixture
async def provider() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made
