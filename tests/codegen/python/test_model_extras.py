"""Members of models that the document types without naming them."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pydantic
import pytest
from codegen.python.package import HERE, imported, install, shop_api
from codegen.python.test_types import check
from dhatu_codegen.targets.python import PythonTarget

RIGHT = """\
from typing import assert_type

from extras_client.generated import SyncShopAPI, models


def right(client: SyncShopAPI, typed: models.Typed, tree: models.Tree, both: models.Both) -> None:
    assert_type(typed.__pydantic_extra__, dict[str, float])
    assert_type(tree.__pydantic_extra__["a"], models.Tree)
    assert_type(both.__pydantic_extra__["a"], list[models.BothValueItem] | str | None)
    models.Typed(id="1")
    client.things.put(things={"typed": {"id": "1", "n": 2}, "map": {"n": 1, "s": "a"}})
"""
WRONG = """\
from extras_client.generated import SyncShopAPI, models


def wrong(client: SyncShopAPI, typed: models.Typed) -> None:
    typed.__pydantic_extra__["n"].upper()
    client.things.put(things={"map": {"n": 1.5}})
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("extras")
    spec = (HERE / "extras.yaml").read_text(encoding="utf-8")
    return install(PythonTarget().render(shop_api(root, "extras_client", spec=spec)), root)


@pytest.fixture(scope="module")
def extras(package: Path) -> Iterator[ModuleType]:
    with imported(package) as module:
        yield module


def read(package: ModuleType, name: str, value: object) -> Any:
    models = importlib.import_module(f"{package.__name__}.models")
    read_json = importlib.import_module(f"{package.__name__.rpartition('.')[0]}._models").read_json
    return read_json(pydantic.TypeAdapter(getattr(models, name)), json.dumps(value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Typed", {"id": "1", "a": 1.5, "b": 2}),
        ("Patterns", {"id": "1", "n_a": 3, "s_a": "it's", "s_b": "newer"}),
        ("Both", {"id": "1", "x-a": [{"y": 1, "z": 2}], "other": None, "text": "t"}),
        ("Loose", {"id": "1", "n_a": 1, "other": {"any": ["thing"]}}),
        ("Tree", {"name": "a", "b": {"name": "b", "c": {}}}),
        ("Joined", {"id": "1", "name": "n", "yes": True}),
    ],
)
def test_what_the_schema_accepts_is_read_and_sent_again(extras: ModuleType, name: str, value: object) -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={name.lower(): value})

    client = extras.SyncShopAPI(http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    found = getattr(client.things.put(things={name.lower(): value}), name.lower())
    client.things.put(things={name.lower(): found})
    assert sent == [{"things": {name.lower(): value}}] * 2


def test_values_have_the_type_that_is_described(extras: ModuleType) -> None:
    tree = read(extras, "Tree", {"b": {"name": "b", "c": {"name": "c"}}})
    assert tree.b.c.name == "c"
    both = read(extras, "Both", {"x-a": [{"y": 1}]})
    assert both.__pydantic_extra__["x-a"][0].y == 1
    assert isinstance(read(extras, "Typed", {"id": "1", "a": 2}).a, float)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Typed", {"id": "1", "a": "x"}), ("Patterns", {"n_a": 1.5}), ("Both", {"x": 1}), ("Joined", {"a": 2})],
)
def test_what_the_schema_refuses_is_refused(extras: ModuleType, name: str, value: object) -> None:
    with pytest.raises(pydantic.ValidationError):
        read(extras, name, value)


def test_both_checkers_know_the_type(package: Path, tmp_path: Path) -> None:
    right = check(package, RIGHT, tmp_path)
    assert (right.stdout, right.returncode) == ("", 0)
    wrong = check(package, WRONG, tmp_path)
    assert [line.split(":")[1] for line in wrong.stdout.splitlines() if ": error:" in line] == ["5", "6"]
    root = package.parent
    (root / "right.py").write_text(RIGHT, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (root / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable),
            *("right.py", f"{package.name}/generated"),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.startswith("0 errors"), run.stdout
