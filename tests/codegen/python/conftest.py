from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from codegen.python.package import HERE, Shop, imported, install, rendered, shop_api
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


@pytest.fixture(scope="session")
def library_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("library")
    spec = (HERE / "library.yaml").read_text(encoding="utf-8")
    return install(PythonTarget().render(shop_api(root, "library_client", spec=spec)), root)


@pytest.fixture(scope="session")
def library(library_package: Path) -> Iterator[ModuleType]:
    with imported(library_package) as module:
        yield module
