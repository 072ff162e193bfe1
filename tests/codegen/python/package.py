"""A generated package, put together with the real runtime under a name of its own, and calls against it."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
from codegen.project import REPOSITORY, Project
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.base import GeneratedFile
from dhatu_codegen.targets.python import PythonTarget
from dhatu_codegen.targets.python.runtime import hand_written

HERE = Path(__file__).parent
RUNTIME = REPOSITORY / "sdk-python" / "src" / "dhatu_client"
NAMES = """\
servers: [{url: "https://shop.test/api/", description: The shop}]
sdk:
  client: ShopAPI
  environment_prefix: SHOP
  python: {package: NAME, distribution: shop-client}
"""

Handler = Callable[[httpx.Request], httpx.Response]


def shop_api(root: Path, package: str = "shop_client", spec: str | None = None) -> Api:
    """The IR of the shop, or of another document."""
    project = Project(root)
    project.service("shop", spec if spec is not None else (HERE / "shop.yaml").read_text(encoding="utf-8"))
    project.platform(NAMES.replace("NAME", package))
    return project.api()


def rendered(api: Api) -> dict[str, str]:
    """Path in the package to text."""
    return {file.path.partition("/generated/")[2]: file.text for file in PythonTarget().render(api)}


def install(files: tuple[GeneratedFile, ...], root: Path) -> Path:
    """Write generated files, and the runtime around them."""
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    package = (root / files[0].path).parents[1]
    for module in hand_written(RUNTIME):
        copy = package / module.relative_to(RUNTIME)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(module, copy)
    (package / "__init__.py").write_text("from ._errors import *\n", encoding="utf-8")
    return package


@contextmanager
def imported(package: Path) -> Iterator[ModuleType]:
    """The package `generated`, imported from where it was installed."""
    sys.path.insert(0, str(package.parent))
    try:
        yield importlib.import_module(f"{package.name}.generated")
    finally:
        sys.path.remove(str(package.parent))
        for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
            del sys.modules[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The generated shop, answering every request as it is told."""

    module: ModuleType

    def client(self, handler: Handler, **settings: Any) -> Any:
        http = httpx.Client(transport=httpx.MockTransport(handler))
        return self.module.SyncShopAPI(http_client=http, **settings)

    def async_client(self, handler: Handler, **settings: Any) -> Any:
        http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
        return self.module.ShopAPI(http_client=http, **settings)
