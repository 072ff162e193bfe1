"""What the compiler makes of types and shapes, and what the shapes make of answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from codegen.project import REPOSITORY, Project
from codegen.sdk.sources import DOCUMENTS, api
from codegen.typescript.compiler import compile_in, lay_out
from codegen.typescript.sources import HERE, menagerie, rendered
from node import run

PYTHON = HERE.parent / "python"
OF_SERVICES = ["extras", "inputs", "library", "mini", "shop", "zoo"]

CHECK = """\
import * as shapes from './out/generated/shapes.js';
const cases = JSON.parse(process.argv[1]);
console.log(JSON.stringify(cases.map(([name, value, strict]) => shapes[name](value, strict) ?? '')));
"""
LEAF = {"is": "leaf"}
VISIT = {"id": "1", "guests": [{"name": "n", "host": {"id": "2", "guests": []}}]}
CASES: list[tuple[str, Any, bool, str]] = [
    ("Circle", {"kind": "disc", "radius": 1.5, "later": 1}, True, ""),
    ("Circle", {"kind": "disc"}, False, "/radius is missing"),
    ("Level", "middle", False, ""),
    ("Level", "middle", True, " is none of the values that are described"),
    ("Level", 1, False, " is none of the values that are described"),
    ("Tree", ["a", [["b"]]], True, ""),
    ("Tree", ["a", [[1]]], True, " is none of its variants"),
    ("Node", {"extended": {"extra": 1}}, False, "/extended/extra is no string"),
    ("Node", {"extended": {"next": {"by_name": {"a": 1}}}}, False, "/extended/next/by_name/a is no object"),
    ("Itself", "text", True, ""),
    ("One", [True, [1]], True, ""),
    ("Other", ["text"], True, " is none of its variants"),
    ("Figure", {"kind": "cube", "side": "1"}, False, "/side is no number"),
    ("Figure", {"kind": "corner", "angle": 1}, True, ""),
    ("Figure", {"kind": "star"}, False, ""),
    ("Figure", {"kind": "star"}, True, "/kind names no variant"),
    ("Pet", {"sort": "kitten", "lives": 9}, True, ""),
    ("Child", {"kind": "k"}, False, "/toy is missing"),
    ("Child", {"toy": "t"}, False, "/kind is missing"),
    ("MapModel", {"id": "i", "a": LEAF, "b": {}}, False, "/b/is is missing"),
    ("Visit", VISIT, True, ""),
    ("Visit", {"guests": []}, False, "/id is missing"),
    ("Objects", {"conflict": {"kind": "special", "size": "large"}}, True, ""),
    ("Objects", {"same": {"id": "i", "a": 1}}, False, "/same/a is no string"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("menagerie")
    lay_out(folder, rendered(menagerie()))
    shutil.copy(HERE / "usage.ts", folder)
    compile_in(folder)
    return folder


def test_types_hold_for_what_is_right_and_against_what_is_wrong(compiled: Path) -> None:
    assert (compiled / "out" / "usage.js").is_file()


def test_an_error_of_the_compiler_fails_a_test(tmp_path: Path) -> None:
    lay_out(tmp_path, {"types.ts": "export type Endless = Endless;\n"})
    with pytest.raises(AssertionError, match="TS2456"):
        compile_in(tmp_path)


def test_shapes_find_what_is_not_as_described(compiled: Path) -> None:
    given = json.dumps([[name, value, strict] for name, value, strict, _ in CASES])
    found = json.loads(run("node", "--input-type=module", "--eval", CHECK, given, folder=compiled))
    assert found == [said for *_, said in CASES]


def test_a_bundle_holds_only_the_shapes_that_it_uses(compiled: Path) -> None:
    def bundled(program: str) -> str:
        (compiled / "program.js").write_text(program, encoding="utf-8")
        return run("esbuild", "--bundle", "--minify", "--format=esm", "program.js", folder=compiled)

    assert bundled("import './out/generated/shapes.js';").strip() == ""
    one = bundled("import { Circle } from './out/generated/shapes.js'; export default Circle;")
    assert "radius" in one
    assert "tricks" not in one


def test_documents_of_services_compile(tmp_path: Path) -> None:
    for name in OF_SERVICES:
        folder = tmp_path / name
        folder.mkdir()
        project = Project(folder)
        project.service(name, (PYTHON / f"{name}.yaml").read_text(encoding="utf-8"))
        files = rendered(project.api())
        _keep(tmp_path / "all", name, files)
    compile_in(tmp_path / "all")


def test_documents_of_others_compile(tmp_path: Path) -> None:
    documents = {
        "hard": DOCUMENTS / "hard.yaml",
        "many": DOCUMENTS / "many" / "openapi.yaml",
        "own": REPOSITORY / "spec" / "generated" / "openapi.yaml",
    }
    for name, document in documents.items():
        _keep(tmp_path / "all", name, rendered(api(document.as_posix())))
    compile_in(tmp_path / "all")


def _keep(folder: Path, name: str, files: dict[str, str]) -> None:
    """Several documents side by side, since starting the compiler takes longer than its work."""
    if not folder.exists():
        folder.mkdir()
        lay_out(folder, {})
    (folder / name).mkdir()
    for file, text in files.items():
        (folder / name / file).write_text(text, encoding="utf-8")
