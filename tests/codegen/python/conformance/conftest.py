from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from codegen.python.conformance.documents import document
from codegen.python.conformance.package import Caller, api_of, installed
from codegen.python.package import imported
from dhatu_codegen.ir.api import Api


@pytest.fixture(scope="session")
def wire_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="session")
def wire_api(wire_root: Path) -> Api:
    return api_of(document(), wire_root)


@pytest.fixture(scope="session")
def wire_package(wire_api: Api, wire_root: Path) -> Path:
    return installed(wire_api, wire_root)


@pytest.fixture(scope="session")
def caller(wire_package: Path) -> Iterator[Caller]:
    with imported(wire_package) as module:
        yield Caller(module=module)
