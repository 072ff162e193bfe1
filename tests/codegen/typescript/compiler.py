"""The locked compiler, over a folder of its own and under the flags of the SDK."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from node import SDK, run

SHAPES = Path("runtime", "answers", "shapes.ts")


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Generated files as they lie in an SDK, with the runtime's shapes and all flags of its compiler."""
    settings = json.loads((SDK / "tsconfig.json").read_text(encoding="utf-8"))
    settings["compilerOptions"] |= {"types": [], "outDir": "out", "rootDir": "."}
    (folder / "tsconfig.json").write_text(json.dumps(settings | {"include": ["."]}), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / SHAPES.parent).mkdir(parents=True)
    shutil.copy(SDK / "src" / SHAPES, folder / SHAPES)
    (folder / "generated").mkdir()
    for name, text in files.items():
        (folder / "generated" / name).write_text(text, encoding="utf-8")


def compile_in(folder: Path) -> None:
    """An `AssertionError` with what the compiler said, where it said anything."""
    run("tsc", "-p", folder / "tsconfig.json", folder=folder)
