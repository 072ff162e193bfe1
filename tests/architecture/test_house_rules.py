"""The rules of the house that no linter keeps: sizes, the top level, and what is never committed."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from samples import PACKAGES

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
TOP_LEVEL = {
    *("spec", "codegen", "sdk-python", "sdk-js", "gateway", "docs", "tests"),
    *(
        "Makefile",
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE",
        "requirements.txt",
    ),
    *(".ci", ".gitignore", ".gitattributes"),
}
REGISTRY_ADDRESS = re.compile(
    r"(resolved\": *\"?https?://|--(extra-)?index-url|https?://[^ \"]+\.(whl|tar\.gz|tgz)\b)"
)


def committed() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def hand_written(suffixes: tuple[str, ...]) -> list[str]:
    return [name for name in committed() if name.endswith(suffixes) and "generated" not in Path(name).parts]


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring left out."""
    documented = ast.get_docstring(node, clean=False) is not None
    docstring = node.body[0]
    docstring_lines = (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines


def test_no_file_is_too_long_to_keep_in_the_head() -> None:
    lengths = {
        name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in hand_written((".py", ".ts"))
    }
    assert lengths, "no source files were found"
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


@pytest.mark.parametrize("name", hand_written((".py",)))
def test_no_function_is_too_long(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = [(node.name, node.lineno) for node in functions if function_lines(node) > MAX_FUNCTION_LINES]
    assert too_long == []


def test_the_top_level_holds_nothing_unexpected() -> None:
    assert {name.split("/")[0] for name in committed()} <= TOP_LEVEL


def test_every_package_is_published_with_its_licence_and_a_readme() -> None:
    licence = (ROOT / "LICENSE").read_bytes()
    for name in PACKAGES:
        assert (ROOT / name / "LICENSE").read_bytes() == licence
        assert (ROOT / name / "README.md").is_file()
        if name != "sdk-js":
            project = tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            assert project["readme"] == "README.md"


def test_no_registry_address_is_committed() -> None:
    locks = [name for name in committed() if name.endswith((".txt", ".json", ".lock", ".toml", ".yaml"))]
    guilty = [
        name
        for name in locks
        if REGISTRY_ADDRESS.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert guilty == []


def test_generated_files_say_so() -> None:
    generated = [
        name
        for name in committed()
        if "generated" in Path(name).parts and name.endswith((".py", ".yaml", ".ts"))
    ]
    assert generated, "no generated files were found"
    silent = [
        name for name in generated if "make generate" not in (ROOT / name).read_text(encoding="utf-8")[:400]
    ]
    assert silent == []
