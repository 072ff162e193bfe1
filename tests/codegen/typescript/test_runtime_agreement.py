"""What the generator knows of the runtime by heart."""

from __future__ import annotations

import re

from dhatu_codegen.targets.told import ERRORS
from dhatu_codegen.targets.typescript import descriptors, methods, package
from dhatu_codegen.targets.typescript.identifiers import CLIENT_MEMBERS
from node import SDK

RUNTIME = SDK / "src" / "runtime"


def exported(module: str) -> tuple[set[str], set[str]]:
    """Values and types that a module of re-exports offers."""
    text = (RUNTIME / module).read_text(encoding="utf-8")
    values, types = set[str](), set[str]()
    for kind, names in re.findall(r"^export( type)? \{(.*?)\}", text, re.MULTILINE | re.DOTALL):
        for name in filter(None, map(str.strip, names.split(","))):
            (types if kind or name.startswith("type ") else values).add(name.removeprefix("type "))
    return values, types


def test_no_function_hides_what_its_module_imports() -> None:
    values, types = exported("describe.ts")
    functions = {name for name in values if name[:1].islower()}
    assert functions <= vars(methods)["_OWN"]
    assert {"jsonBody", "arranged", "page", "styled", "union"} <= functions
    assert vars(package)["_TYPES"] <= types | values


def test_no_operation_hides_a_member_of_the_client() -> None:
    text = (RUNTIME / "client.ts").read_text(encoding="utf-8").partition("class APIClient")[2]
    members = re.findall(r"^  (?:readonly )?(\w+)[(<]", text.partition("\n}\n")[0], re.MULTILINE)
    assert {"call", "withOptions"} <= set(members) <= CLIENT_MEMBERS


def test_descriptors_leave_out_the_media_types_that_factories_take_for_granted() -> None:
    for factory, media_type in vars(descriptors)["_DEFAULTS"].items():
        pattern = rf"export function {factory}\([^{{]*?mediaType = '{media_type}'"
        texts = (path.read_text(encoding="utf-8") for path in RUNTIME.rglob("*.ts"))
        assert any(re.search(pattern, text) for text in texts), factory


def test_comments_name_the_errors_that_are_thrown() -> None:
    text = (RUNTIME / "errors" / "refusals.ts").read_text(encoding="utf-8")
    for status, name in ERRORS.items():
        assert re.search(rf"\b{status}\b.*\b{name}\b", text), name
