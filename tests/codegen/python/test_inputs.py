"""Objects in requests as dicts: checked by both checkers where they are written, and sent as they are."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pydantic
import pytest
from codegen.python.package import HERE, imported, install, shop_api
from codegen.python.test_types import check
from dhatu_codegen.targets.python import PythonTarget
from typing_extensions import is_typeddict

RIGHT = """\
from datetime import date

from orders_client.generated import SyncShopAPI, inputs, models


def right(client: SyncShopAPI, answered: models.Line) -> None:
    add = client.orders.add
    add(lines=[{"article": "a", "count": 1}, answered, models.Line(id="1", article="a", count=1)])
    add(lines=[{"article": "a", "count": 1, "kind": "new", "day": date(2020, 2, 29), "note": None}])
    add(lines=[{"article": "a", "count": 1, "notes": ["n"]}])
    add(lines=[{"article": "a", "count": 1, "day": "2020-02-29", "secret": "s", "notes": ("n",)}])
    add(payment={"by": "Card", "number": "1"})
    add(payment={"by": "Cash", "change": True})
    add(payment=models.Cash(by="Cash", change=True))
    add(tree={"name": "a", "children": [{"name": "b", "children": []}, models.Tree(name="c")]})
    add(value=[["a"], {"b": {"c": ["d"]}}])
    add(odd={"class": "c", "__secret": "s", "a-b": 1, "ℌ": "h", 'q"': "q"})
    add(hiding={"str": "s", "date": "2020-02-29", "models": "new", "Tree": {"name": "a"}})
    add(choices={"depth": 1, "breadth": 2})
    add(priced={"name": "p", "apple": 1.5})
    add(at={"x": 1, "more": {"y": 2}})
    computed: inputs.Line = {"article": "a", "count": 1}
    computed["day"] = date(2020, 2, 29)
    add(lines=[computed])
"""
WRONG = """\
from orders_client.generated import SyncShopAPI


def wrong(client: SyncShopAPI, computed: dict[str, object]) -> None:
    client.orders.add(lines=[{"article": "a"}])
    client.orders.add(lines=[{"article": "a", "cuont": 1}])
    client.orders.add(lines=[{"article": "a", "count": "1"}])
    client.orders.add(lines=[{"article": "a", "count": 1, "id": "set by the server"}])
    client.orders.add(lines=[{"article": "a", "count": 1, "kind": "old"}])
    client.orders.add(lines=[{"article": "a", "count": 1, "notes": "n"}])
    client.orders.add(lines=[computed])
    client.orders.add(payment={"by": "Card", "change": True})
    client.orders.add(payment={"by": "Cheque", "number": "1"})
    client.orders.add(tree={"name": "a", "children": [{"name": "b", "children": [{"nmae": "c"}]}]})
    client.orders.add(value=[["a"], {"b": {"c": [1]}}])
    client.orders.add(odd={"class_": "c", "__secret": "s"})
    client.orders.add(hiding={"date": 2020})
    client.orders.add(at={"x": 1, "more": {"z": 2}})
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("orders")
    spec = (HERE / "inputs.yaml").read_text(encoding="utf-8")
    return install(PythonTarget().render(shop_api(root, "orders_client", spec=spec)), root)


@pytest.fixture(scope="module")
def orders(package: Path) -> Iterator[ModuleType]:
    with imported(package) as module:
        yield module


def lines_to_refuse() -> set[int]:
    return {number for number, line in enumerate(WRONG.splitlines(), 1) if line.startswith("    ")}


def test_mypy_takes_right_dicts_and_refuses_wrong_ones(package: Path, tmp_path: Path) -> None:
    right = check(package, RIGHT, tmp_path)
    assert (right.stdout, right.returncode) == ("", 0)
    wrong = check(package, WRONG, tmp_path)
    complaints = {int(line.split(":")[1]) for line in wrong.stdout.splitlines() if ": error:" in line}
    assert complaints == lines_to_refuse(), wrong.stdout


def test_pyright_takes_right_dicts_and_refuses_wrong_ones(package: Path) -> None:
    root = package.parent
    (root / "right.py").write_text(RIGHT, encoding="utf-8")
    (root / "wrong.py").write_text(WRONG, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (root / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    checked = [f"{package.name}/generated/inputs.py", f"{package.name}/generated/resources"]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable),
            *("--outputjson", "right.py", "wrong.py", *checked),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(run.stdout)["generalDiagnostics"]
    strange = [one for one in found if not one["file"].endswith("wrong.py")]
    assert strange == []
    assert {one["range"]["start"]["line"] + 1 for one in found} == lines_to_refuse()


def test_what_a_dict_may_hold_can_be_asked_for_while_a_program_runs(orders: ModuleType) -> None:
    inputs = importlib.import_module(f"{orders.__name__}.inputs")
    found = [kind for kind in vars(inputs).values() if is_typeddict(kind)]
    assert {kind.__name__ for kind in found} >= {"Line", "Card", "Tree", "Odd", "Hiding", "OrdersAddAt"}
    for kind in found:
        typing.get_type_hints(kind)
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(inputs.Line)
    assert adapter.validate_python({"article": "a", "count": 1}) == {"article": "a", "count": 1}
    with pytest.raises(pydantic.ValidationError, match="Field required"):
        adapter.validate_python({"article": "a"})


def test_nothing_imports_the_inputs(package: Path) -> None:
    program = (
        "import sys, orders_client.generated.resources.orders; from orders_client.generated import models;"
        "models.Line; assert not [name for name in sys.modules if name.endswith('.inputs')]"
    )
    subprocess.run([sys.executable, "-c", program], cwd=package.parent, check=True)


def test_models_inside_dicts_and_values_with_a_type_are_sent_as_the_wire_has_them(orders: ModuleType) -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"id": "1", "article": "a", "count": 1})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = orders.SyncShopAPI(http_client=http)
    models = importlib.import_module(f"{orders.__name__}.models")
    client.orders.add(hiding={"Tree": models.Tree(name="a"), "date": date(2020, 2, 29)})
    client.orders.add(odd={"class": "c", "__secret": "s", "a-b": 1})
    assert sent == [
        {"hiding": {"Tree": {"name": "a"}, "date": "2020-02-29"}},
        {"odd": {"class": "c", "__secret": "s", "a-b": 1}},
    ]
