"""What README and docs show, run as it stands there."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_SAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
SAMPLES = [(page, sample) for page in PAGES for sample in _SAMPLE.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "sample"), SAMPLES, ids=lambda value: getattr(value, "name", ""))
async def test_a_sample_runs_as_it_is_shown(page: Path, sample: str, base_url: str, api_key: str) -> None:
    code = sample.replace("http://127.0.0.1:8000", base_url).replace("your_api_key", api_key)
    names: dict[str, Any] = {}
    running = eval(compile(code, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.isawaitable(running):
        await running
    if "client" in names:
        await names["client"].aclose()


def test_the_readme_has_a_sample() -> None:
    assert ROOT / "README.md" in [page for page, _ in SAMPLES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z-]+)", text))
    known = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True)
    assert targets <= set(re.findall(r"make ([a-z-]+)", known.stdout))
