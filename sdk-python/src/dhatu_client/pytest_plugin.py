"""The fixture `fake_api`: name this module in `pytest_plugins` of a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import testing


@pytest.fixture
def fake_api() -> Iterator[testing.FakeAPI]:
    """The API without a network."""
    with testing.fake_api() as api:
        yield api
