"""What README and docs show in JavaScript, run by Node.js against the platform as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from javascript.installed import install
from node import run
from samples import name_of, pages_with, program


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    install(folder)
    return folder


@pytest.mark.parametrize("page", pages_with("javascript"), ids=name_of)
def test_the_samples_of_a_page_run(page: Path, project: Path, base_url: str, api_key: str) -> None:
    code = program(page, "javascript").replace("http://127.0.0.1:8000", base_url)
    written = project / f"{name_of(page).replace('/', '_')}.mjs"
    written.write_text(code.replace("your_api_key", api_key), encoding="utf-8")
    run("node", "--unhandled-rejections=strict", written.name, folder=project)
