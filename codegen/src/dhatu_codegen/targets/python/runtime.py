"""The hand-written half of a Python SDK, to be copied as it is.

Where this package was installed from a wheel, it lies in `dhatu_codegen_runtime/python` beside it; in the
repository it is the SDK of this platform itself, `sdk-python`, beside `codegen`. None of it is a template.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..base import TargetError

_CODEGEN: Final = Path(__file__).parents[2]
_SHIPPED: Final = _CODEGEN.parent / "dhatu_codegen_runtime" / "python"
_REPOSITORY: Final = _CODEGEN.parents[2] / "sdk-python"


class RuntimeMissingError(TargetError):
    """The runtime is not where it belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The files, and what an SDK has to know of them."""

    modules: Mapping[str, str]
    """Path of a module in the package to its text: `_client.py`, `_balance/pool.py`."""
    exports: Mapping[str, tuple[str, ...]]
    """Module to the names in it that are public: `_binary` to `BinaryResponse`."""
    later: Mapping[str, tuple[str, ...]]
    """The same for names that are imported when they are asked for."""
    requires_python: str
    dependencies: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    """Name of an extra to what it needs."""
    script: str
    """What the command runs, inside the package: `_cli:main`."""


def read_runtime() -> Runtime:
    """Read the runtime from the wheel, else from the repository. Raises `RuntimeMissingError`."""
    root = next((root for root in (_SHIPPED, _REPOSITORY) if (root / "pyproject.toml").is_file()), None)
    if root is None:
        raise RuntimeMissingError(f"the runtime of Python SDKs is neither in {_SHIPPED} nor in {_REPOSITORY}")
    package = next(path.parent for path in sorted(root.glob("src/*/__init__.py")))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    return Runtime(
        modules={
            path.relative_to(package).as_posix(): path.read_text(encoding="utf-8")
            for path in hand_written(package)
        },
        exports=_exports(first.body),
        later=_exports(_for_checkers(first)),
        requires_python=str(project["requires-python"]),
        dependencies=tuple(map(str, project["dependencies"])),
        script=_script(project["scripts"]).removeprefix(f"{package.name}."),
        extras={
            str(name): tuple(map(str, needed)) for name, needed in project["optional-dependencies"].items()
        },
    )


def _script(scripts: Mapping[str, str]) -> str:
    """What the only command runs."""
    (script,) = scripts.values()
    return script


def hand_written(package: Path) -> tuple[Path, ...]:
    """The modules of an SDK that are the same in every one: all but what is generated, and the first."""
    return tuple(
        path
        for path in sorted(package.rglob("*.py"))
        if path != package / "__init__.py" and path.relative_to(package).parts[0] != "generated"
    )


def _exports(statements: list[ast.stmt]) -> dict[str, tuple[str, ...]]:
    """What the platform's own SDK makes public of the runtime."""
    return {
        node.module: tuple(alias.name for alias in node.names)
        for node in statements
        if isinstance(node, ast.ImportFrom) and node.level == 1 and (node.module or "").startswith("_")
        if node.module is not None
    }


def _for_checkers(module: ast.Module) -> list[ast.stmt]:
    """What stands under `if TYPE_CHECKING:`; whoever runs the module finds it in `__getattr__`."""
    return [
        statement
        for node in module.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
    ]
