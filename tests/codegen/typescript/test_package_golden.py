"""The rendered text of a whole package, held against files that were read by a person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from codegen.project import REPOSITORY
from codegen.sdk.sources import api
from codegen.typescript.packages import HERE, OF_OTHERS, of_service, rendered

GOLDEN = HERE / "golden_mini"
UPDATE = "DHATU_UPDATE_GOLDEN"


def test_a_small_document_renders_as_written_down(tmp_path: Path) -> None:
    files = rendered(of_service("mini", tmp_path / "mini"))
    if os.environ.get(UPDATE):
        for name, text in files.items():
            path = GOLDEN / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    golden = {
        path.relative_to(GOLDEN).as_posix().removesuffix(".txt"): path.read_text(encoding="utf-8")
        for path in GOLDEN.rglob("*.txt")
    }
    assert files == golden, f"look at the difference, then run with {UPDATE}=1 to accept it"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_rendering_depends_on_nothing_but_the_document(seed: str, tmp_path: Path) -> None:
    program = (
        "import json, sys; from codegen.sdk.sources import api;"
        "from codegen.typescript.packages import OF_OTHERS, rendered;"
        "json.dump(rendered(api(OF_OTHERS['perils'].as_posix())), sys.stdout)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY / "tests"), "LC_ALL": "C"},
        cwd=tmp_path,
        capture_output=True,
        encoding="ascii",
        check=True,
    )
    assert json.loads(run.stdout) == rendered(api(OF_OTHERS["perils"].as_posix()))


def test_no_module_has_a_name_that_some_file_system_refuses() -> None:
    paths = rendered(api(OF_OTHERS["perils"].as_posix())).keys()
    stems = [Path(path).stem for path in paths]
    assert not {"aux", "con", "nul", "prn"} & set(stems)
    assert len({path.casefold() for path in paths}) == len(paths)
