from __future__ import annotations

from collections.abc import Iterator

import pytest
from codegen.sdk.sources import Site, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1,127.0.0.2")  # a machine may have a proxy for everything else
    with serving() as found:
        yield found
