"""The JavaScript SDK as a program finds it: compiled, in a node_modules."""

from __future__ import annotations

import shutil
from pathlib import Path

from node import SDK, run


def install(folder: Path) -> None:
    """Compile the SDK into the node_modules of a folder."""
    package = folder / "node_modules" / "@dhatu" / "client"
    run("tsc", "-p", SDK / "tsconfig.build.json", "--outDir", package / "dist")
    shutil.copy(SDK / "package.json", package)
