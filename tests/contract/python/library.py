"""The SDK under test: generated from `api.yaml`, with the runtime as it is, and imported."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from dhatu_codegen.ir.name import Name
from dhatu_codegen.reading.locations import Boundary
from dhatu_codegen.sdk.adopt import SdkName
from dhatu_codegen.sdk.build import LANGUAGES, build_sdk
from dhatu_codegen.sdk.folder import write_sdk

API = Path(__file__).parents[1] / "api.yaml"
NAME = SdkName(name=Name.of("library"))


def generate(folder: Path) -> None:
    """Write the SDK."""
    language = LANGUAGES["python"]
    assert language is not None
    built = build_sdk(Boundary(start=API.as_posix()), NAME, language)
    assert not built.diagnostics.errors
    write_sdk(folder, built.files)


def load(folder: Path) -> ModuleType:
    """Import the SDK from where it was written; `unload` forgets it."""
    sys.path.insert(0, str(folder / "src"))
    return importlib.import_module(NAME.package)


def unload(folder: Path) -> None:
    sys.path.remove(str(folder / "src"))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME.package]:
        del sys.modules[name]
