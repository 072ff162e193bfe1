"""Every operation is rendered once, or the build fails and says which one is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from codegen.sdk.sources import api
from codegen.typescript.packages import OF_OTHERS, of_service, rendered
from dhatu_codegen import cli
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.counting import CountError
from dhatu_codegen.targets.typescript.count import check_count
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Api:
    return of_service("shop", tmp_path_factory.mktemp("count") / "shop")


@pytest.fixture(scope="module")
def sources(shop: Api) -> dict[str, str]:
    return rendered(shop)


@pytest.mark.parametrize(("name", "operations"), [("perils", 95), ("contract", 28), ("empty", 0)])
def test_no_operation_is_lost(name: str, operations: int) -> None:
    found = api(OF_OTHERS[name].as_posix())
    assert len(found.operations) == operations
    check_count(found, rendered(found))


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        (
            "operations/client.ts",
            "client.call(ECHO",
            "client.call(ASK",
            "functions missing: echo; functions too many: ask",
        ),
        ("client.ts", "this.call(o.ECHO", "this.call(o.ASK", "methods missing: echo; methods too many: ask"),
        (
            "resources/pets.ts",
            "this.#client.call(o.PETS_LIST",
            "this.#client.send(o.PETS_LIST",
            "methods missing: pets.list",
        ),
        (
            "operations/client.ts",
            "key: 'echo'",
            "key: 'ecco'",
            "descriptors missing: echo; descriptors too many: ecco",
        ),
        ("api.md", "`client.echo(", "client.echo(", "entries of api.md missing: echo"),
    ],
)
def test_what_is_missing_or_too_many_is_named(
    path: str, old: str, new: str, complaint: str, shop: Api, sources: dict[str, str]
) -> None:
    assert sources[path].count(old) == 1
    with pytest.raises(CountError, match=re.escape(complaint)):
        check_count(shop, {**sources, path: sources[path].replace(old, new)})


def test_an_operation_that_no_function_carries_fails_the_build(shop: Api, sources: dict[str, str]) -> None:
    surplus = replace(shop.operations[0], key="pets.lost")
    with pytest.raises(CountError, match=r"each of 10 operations once: descriptors missing: pets\.lost"):
        check_count(replace(shop, operations=(*shop.operations, surplus)), sources)


def test_a_build_that_fails_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: object) -> None:
        raise CountError("one operation is missing")

    monkeypatch.setattr("dhatu_codegen.targets.typescript.package.check_count", lose)
    document, out = OF_OTHERS["empty"].as_posix(), tmp_path / "out"
    arguments = ["sdk", document, "--lang", "typescript", "--name", "acme", "--out", str(out)]
    result = CliRunner().invoke(cli.app, arguments)
    assert (result.exit_code, "one operation is missing" in result.output) == (1, True)
    assert not out.exists()
