from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from codegen.python.package import Shop, imported, install, rendered, shop_api
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.python import PythonTarget


@pytest.fixture(scope="session")
def shop_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="session")
def api(shop_root: Path) -> Api:
    return shop_api(shop_root)


@pytest.fixture(scope="session")
def sources(api: Api) -> dict[str, str]:
    return rendered(api)


@pytest.fixture(scope="session")
def package(api: Api, shop_root: Path) -> Path:
    return install(PythonTarget().render(api), shop_root)


@pytest.fixture(scope="session")
def shop(package: Path) -> Iterator[Shop]:
    with imported(package) as module:
        yield Shop(module=module)
