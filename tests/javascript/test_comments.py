"""Whatever a program can import from the JavaScript SDK says what it is, where an editor shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from node import SDK

RUNTIME = SDK / "src" / "runtime"
_EXPORT = re.compile(r"export (?:type )?\{([^}]*)\} from '([^']+)';", re.DOTALL)
_DECLARED = (
    r"export (?:declare )?(?:abstract )?(?:class|interface|type|const|function|async function)\s+{name}\b"
)


def public() -> list[tuple[str, Path]]:
    """(name, module that declares it) of everything that the runtime's index exports."""
    found: list[tuple[str, Path]] = []
    for names, module in _EXPORT.findall((RUNTIME / "index.ts").read_text(encoding="utf-8")):
        path = (RUNTIME / module).with_suffix(".ts")
        listed = names.replace("type ", "").replace("\n", " ").split(",")
        found += [(name.strip(), path) for name in listed if name.strip()]
    return found


def declaring(name: str, path: Path) -> str:
    """The text of the module that declares a name, followed through those that only pass it on."""
    text = path.read_text(encoding="utf-8")
    if re.search(_DECLARED.format(name=name), text):
        return text
    for module in re.findall(r"export \* from '([^']+)';", text):
        inner = declaring(name, (path.parent / module).with_suffix(".ts"))
        if inner:
            return inner
    return ""


def test_the_index_was_understood() -> None:
    assert len(public()) > 60


@pytest.mark.parametrize(
    ("name", "path"), public(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_it_has_a_comment(name: str, path: Path) -> None:
    text = declaring(name, path)
    declared = re.search(_DECLARED.format(name=name), text)
    assert declared is not None, f"{path} does not declare {name}"
    assert text[: declared.start()].rstrip().endswith("*/")


@pytest.mark.parametrize("path", ["client.ts", "resources/corpus.ts", "operations/corpus.ts"])
def test_generated_methods_have_an_example(path: str) -> None:
    text = (SDK / "src" / "generated" / path).read_text(encoding="utf-8")
    calls = len(re.findall(r"\.call\(", text))
    assert calls
    assert text.count("@example\n") >= calls
