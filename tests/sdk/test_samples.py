"""What README and docs show, and the examples, are typed as strictly as the SDK itself."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "sdk-python" / "examples").glob("*.py"))
_SAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEAD = "from __future__ import annotations\n\n\nasync def page() -> None:\n"
_PYRIGHT = '{"typeCheckingMode": "strict", "reportUnusedVariable": false, "reportUnusedFunction": false}'
"""The samples of a page stand in one function, in which nothing uses what the last of them found."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module of each page that has samples, and every example."""
    folder = tmp_path_factory.mktemp("samples")
    for page in PAGES:
        samples = _SAMPLE.findall(page.read_text(encoding="utf-8"))
        if samples:
            body = textwrap.indent("\n".join(samples), "    ")
            name = re.sub(r"\W", "_", page.stem)
            (folder / f"{name}.py").write_text(_HEAD + body, encoding="utf-8")
    for example in EXAMPLES:
        (folder / example.name).write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "pyrightconfig.json").write_text(_PYRIGHT, encoding="utf-8")
    assert len(list(folder.glob("*.py"))) >= len(EXAMPLES) + 2
    return folder


@pytest.mark.parametrize(
    "checker",
    [
        ["mypy", "--strict", "--allow-redefinition-new", "--local-partial-types", "--cache-dir", "cache"],
        ["basedpyright", "--pythonpath", sys.executable],
    ],
    ids=["mypy", "pyright"],
)
def test_samples_are_strictly_typed(folder: Path, checker: list[str]) -> None:
    names = sorted(path.name for path in folder.glob("*.py"))
    ran = subprocess.run(
        [sys.executable, "-m", *checker, *names], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
