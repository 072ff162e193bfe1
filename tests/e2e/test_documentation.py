"""What README and docs show, run as it stands there."""

from __future__ import annotations

import ast
import doctest
import inspect
import os
import re
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from dhatu_client import DhatuAPI
from dhatu_client.testing import fake_api
from samples import PAGES, ROOT, name_of, pages_with, samples

_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
async def test_the_samples_of_a_page_run_one_after_the_other(page: Path, base_url: str, api_key: str) -> None:
    names: dict[str, Any] = {}
    async with AsyncExitStack() as clients:
        for line, sample in samples(page, "python"):
            code = sample.replace("http://127.0.0.1:8000", base_url).replace("your_api_key", api_key)
            before = dict(names)
            try:
                await _run(page, line, code, names)
            finally:
                for name, value in names.items():
                    if isinstance(value, DhatuAPI) and before.get(name) is not value:
                        clients.push_async_callback(value.aclose)
            for name, value in names.items():
                if before.get(name) is not value and name.startswith("test_"):
                    _run_test(value)


async def _run(page: Path, line: int, code: str, names: dict[str, Any]) -> None:
    """Run one sample, which may await; as many lines before it as on the page, so that errors name theirs."""
    program = compile("\n" * (line - 1) + code, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(program, names)
    if inspect.isawaitable(running):
        await running


def _run_test(function: Any) -> None:
    if "fake_api" in inspect.signature(function).parameters:
        with fake_api() as api:
            function(fake_api=api)
    else:
        function()


@pytest.mark.parametrize("page", pages_with("console"), ids=name_of)
def test_the_commands_of_a_page_print_what_it_shows(
    page: Path, base_url: str, api_key: str, tmp_path: Path
) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DHATU_BASE_URL": base_url, "DHATU_API_KEY": api_key}
    checker, options = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for _, sample in samples(page, "console"):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", sample, re.MULTILINE):
            ran = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=60,
            )
            assert ran.returncode == 0, f"{command}: {ran.stdout}"
            assert checker.check_output(shown, ran.stdout, options), f"{command}: {ran.stdout}"


def test_readme_and_guide_have_samples() -> None:
    assert {ROOT / "README.md", ROOT / "docs" / "python-sdk.md"} <= {*pages_with("python")}
    assert ROOT / "docs" / "python-sdk.md" in pages_with("console")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z-]+)", text))
    known = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True)
    assert targets <= set(re.findall(r"make ([a-z-]+)", known.stdout))
