from __future__ import annotations

import pytest
from codegen.typescript.packages import Packages, compiled


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Every document there is, compiled; tests that use it are in the group `typescript`, one process."""
    return compiled(tmp_path_factory.mktemp("packages"))
