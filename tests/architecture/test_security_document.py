"""docs/SECURITY.md names tests that exist, all attacks among them, and shows settings that hold."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from dhatu_gateway.settings import read_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def defined_in(file: Path) -> set[str]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {name for name in functions if name.startswith("test_")}


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_promise_names_a_test_that_exists(file: str, name: str) -> None:
    assert name in defined_in(ROOT / file)


def test_every_mention_of_a_test_is_looked_up() -> None:
    assert len(NAMED) > 30
    assert TEXT.count("tests/") == len(re.findall(r"`tests/[\w/]+\.py::\w+`", TEXT))


def test_every_file_of_attacks_holds_a_promise() -> None:
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "tests/gateway/attacks").glob("test_*.py")}
    assert files <= {file for file, _ in NAMED}


def test_the_settings_that_are_shown_are_settings() -> None:
    [block] = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    shown: dict[str, str] = dict(re.findall(r'export (\w+)="([^"]*)"', block))
    settings = read_settings({"JWT_SECRET_KEY": "x" * 32} | shown, ())
    assert len(shown) == 4
    assert (len(settings.clients.trusted_proxies), len(settings.clients.denied)) == (2, 1)


def test_every_setting_that_is_named_is_read() -> None:
    room = ROOT / "gateway/src/dhatu_gateway/settings"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(room.glob("*.py")))
    named = set(re.findall(r"GATEWAY_\w+", TEXT))
    assert {name for name in named if f'"{name}"' not in source} == set()


def test_the_platform_that_is_shown_is_one() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    schema = json.loads((ROOT / "spec/x-dhatu.schema.json").read_text(encoding="utf-8"))
    platform = schema["$defs"]["platform"]["properties"]
    for key, value in yaml.safe_load(block).items():
        validator = jsonschema_rs.Draft202012Validator({**platform[key], "$defs": schema["$defs"]})
        validator.validate(value)
