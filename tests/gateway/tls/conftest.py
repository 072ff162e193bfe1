"""A clock that tests set."""

from __future__ import annotations

import pytest
from gateway.auth.support import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
