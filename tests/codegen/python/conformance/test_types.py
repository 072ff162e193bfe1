"""The conformance client as type checkers see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_package_is_clean_under_mypy(wire_package: Path, tmp_path: Path) -> None:
    options = [
        "--strict",
        "--config-file=",
        "--no-error-summary",
        f"--cache-dir={tmp_path}",
        "--python-version=3.11",
    ]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-p", "wire_client.generated"],
        cwd=wire_package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.stdout, checked.returncode) == ("", 0)


def test_the_package_is_clean_under_pyright(wire_package: Path, tmp_path: Path) -> None:
    settings = {
        "include": [str(wire_package / "generated")],
        "extraPaths": [str(wire_package.parent)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "venvPath": str(Path(sys.prefix).parent),
        "venv": Path(sys.prefix).name,
        "reportMissingTypeStubs": False,
    }
    project = tmp_path / "pyrightconfig.json"
    project.write_text(json.dumps(settings), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout[-4000:]
