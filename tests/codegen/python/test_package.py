"""openapi-python-client renders, but does not decide what is rendered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from codegen.python.package import rendered, shop_api
from dhatu_codegen import cli
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.counting import CountError
from typer.testing import CliRunner


def test_what_openapi_python_client_cannot_read_is_rendered(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    files = rendered(api)
    assert "PETS_IMPORT" in files["operations.py"]  # its body is application/jsonl
    assert capsys.readouterr().out == ""


def test_only_the_ir_decides_what_is_rendered(api: Api, sources: dict[str, str]) -> None:
    assert rendered(replace(api, document={"swagger": "2.0"})) == sources


def test_a_build_that_fails_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop_api(tmp_path)

    def lose(*_: object) -> None:
        raise CountError("one operation is missing")

    monkeypatch.setattr("dhatu_codegen.targets.python.package.check_count", lose)
    result = CliRunner().invoke(cli.app, ["generate", "--root", str(tmp_path)])
    assert (result.exit_code, "one operation is missing" in result.output) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["spec"]
