"""The rendered text itself, held against files that were read by a person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from codegen.project import REPOSITORY
from codegen.typescript.sources import HERE, menagerie, rendered

GOLDEN = HERE / "golden_menagerie"
UPDATE = "DHATU_UPDATE_GOLDEN"


def test_types_and_shapes_are_rendered_as_written_down() -> None:
    files = rendered(menagerie())
    if os.environ.get(UPDATE):
        GOLDEN.mkdir(exist_ok=True)
        for name, text in files.items():
            (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")
    golden = {path.name.removesuffix(".txt"): path.read_text(encoding="utf-8") for path in GOLDEN.iterdir()}
    assert files == golden, f"look at the difference, then run with {UPDATE}=1 to accept it"


def test_no_line_ends_in_a_space_or_is_too_long() -> None:
    lines = [line for text in rendered(menagerie()).values() for line in text.split("\n")]
    assert [line for line in lines if line != line.rstrip() or len(line) > 110] == []


@pytest.mark.parametrize("seed", ["1", "2"])
def test_rendering_depends_on_nothing_but_the_document(seed: str, tmp_path: Path) -> None:
    program = (
        "import json, sys; from codegen.typescript.sources import menagerie, rendered;"
        "json.dump(rendered(menagerie()), sys.stdout)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY / "tests"), "LC_ALL": "C"},
        cwd=tmp_path,
        capture_output=True,
        encoding="ascii",
        check=True,
    )
    assert json.loads(run.stdout) == rendered(menagerie())
