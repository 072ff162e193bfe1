"""The Node.js that `make setup` has taken, and the tools for JavaScript that it has installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SDK = ROOT / "sdk-js"
_TOOLS = (SDK / "node_modules" / ".bin", ROOT / ".venv" / "bin")


def tool(name: str) -> Path:
    """Where `node`, `npm`, `tsc` and the like are."""
    found = next((folder / name for folder in _TOOLS if (folder / name).exists()), None)
    assert found is not None, f"{name} is not installed; run: make setup"
    return found


def run(name: str, *arguments: str | Path, folder: Path = SDK) -> str:
    """What a tool printed; an `AssertionError` with all that it said where it did not succeed."""
    path = os.pathsep.join([*map(str, _TOOLS), os.environ["PATH"]])
    done = subprocess.run(
        [tool(name), *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name} {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
    return done.stdout
