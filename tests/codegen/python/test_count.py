"""Every operation is rendered once, or the build fails and says which one is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from codegen.python.package import rendered, shop_api
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.counting import CountError
from dhatu_codegen.targets.python.count import check_count


def test_every_operation_is_there_in_both_colours(api: Api, sources: dict[str, str]) -> None:
    check_count(api, sources)
    descriptors = re.findall(r'key="([^"]+)",\s+method=', sources["operations.py"])
    assert sorted(descriptors) == sorted(operation.key for operation in api.operations)


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        ("client.py", "await self.call(ops.ECHO", "await self.call(ops.ASK", "async methods missing: echo"),
        ("client.py", "return self.call(ops.ECHO", "return self.call(None", "sync methods missing: echo"),
        (
            "operations.py",
            'key="echo"',
            'key="ecco"',
            "descriptors missing: echo; descriptors too many: ecco",
        ),
        ("client.py", "await self.call(ops.ECHO", "await self.call(ops.ASK", "async methods too many: ask"),
        (
            "commands.py",
            'operation="ECHO"',
            'operation="ASK"',
            "commands missing: echo; commands too many: ask",
        ),
        ("client.py", "self.echo = raw(of.echo)", "", "async raw responses missing: echo"),
        (
            "client.py",
            "self.echo = raw(of.echo)",
            "self.echo = raw(of.ask)",
            "raw responses too many: echo = ask",
        ),
        (
            "client.py",
            "= sync_streamed(of.echo)",
            "= streamed(of.echo)",
            "sync streaming responses missing: echo",
        ),
        ("api.md", "`client.echo(", "client.echo(", "entries of api.md missing: echo"),
    ],
)
def test_what_is_missing_or_too_many_is_named(
    path: str, old: str, new: str, complaint: str, api: Api, sources: dict[str, str]
) -> None:
    assert old in sources[path]
    with pytest.raises(CountError, match=complaint):
        check_count(api, {**sources, path: sources[path].replace(old, new)})


def test_an_operation_that_no_method_carries_fails_the_build(api: Api, sources: dict[str, str]) -> None:
    surplus = replace(api.operations[0], key="pets.lost")
    with pytest.raises(CountError, match=r"each of 10 operations once: descriptors missing: pets\.lost"):
        check_count(replace(api, operations=(*api.operations, surplus)), sources)


def test_classes_that_python_cannot_tell_apart_are_numbered(tmp_path: Path) -> None:
    schema = "{type: object, required: [a], properties: {a: {type: string}}}"
    answers = "".join(
        f"""
  /{path}:
    get:
      operationId: {path}
      tags: [a]
      responses:
        "200":
          description: A
          content: {{application/json: {{schema: {{$ref: "#/components/schemas/{key}"}}}}}}
"""
        for path, key in (("one", "user-name"), ("two", "UserName"), ("three", "user_name"), ("four", "Any"))
    )
    components = "".join(f"    {key}: {schema}\n" for key in ("user-name", "UserName", "user_name", "Any"))
    files = rendered(shop_api(tmp_path, spec=f"paths:\n{answers}components:\n  schemas:\n{components}"))
    models = "".join(text for path, text in sorted(files.items()) if path.startswith("models/"))
    classes = re.findall(r"^class (\w+)\(BaseModel\)", models, re.MULTILINE)
    assert sorted(classes) == ["AnyModel", "UserName", "UserName2", "UserName3"]
    types = re.findall(r'status="200", type="(\w+)"', files["operations.py"])
    assert types == ["UserName", "UserName2", "UserName3", "AnyModel"]
