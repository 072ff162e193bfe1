"""The rendered text itself, held against files that were read by a person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from codegen.project import REPOSITORY
from codegen.python.package import HERE, rendered, shop_api

GOLDEN = HERE / "golden"
UPDATE = "DHATU_UPDATE_GOLDEN"


def test_a_small_document_renders_as_written_down(tmp_path: Path) -> None:
    files = rendered(shop_api(tmp_path, spec=(HERE / "mini.yaml").read_text(encoding="utf-8")))
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
def test_rendering_depends_on_nothing_but_the_document(
    seed: str, sources: dict[str, str], tmp_path: Path
) -> None:
    program = (
        "import json, sys; from pathlib import Path; from codegen.python.package import rendered, shop_api;"
        "json.dump(rendered(shop_api(Path(sys.argv[1]))), sys.stdout)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(REPOSITORY / "tests"),
            "LC_ALL": "C",
            "TZ": "Asia/Kolkata",
        },
        cwd=tmp_path,
        capture_output=True,
        encoding="ascii",
        check=True,
    )
    assert json.loads(run.stdout) == sources
