"""What SDK and gateway have promised each other, with every SDK and a real gateway between real sockets."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema_rs
import pytest
from dhatu_gateway.app import open_edge
from gateway.core.test_app import TABLE, key_in, settings_in
from gateway.support import serving
from javascript.installed import install
from node import tool

from .play_python import awaiting, in_threads
from .wire import Fields, Message, Service, Way, listening

FOLDER = Path(__file__).parent
TOPICS: dict[str, Any] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted(FOLDER.glob("*.json"))
    if path.name != "case.schema.json"
}
CASES = [case for topic in TOPICS.values() for case in topic["cases"]]
PATIENCE_S = 120.0

Play: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[list[str]]]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plays a case to the JavaScript SDK."""
    folder = tmp_path_factory.mktemp("project")
    install(folder)
    path = folder / "play.mjs"
    path.write_bytes((FOLDER / "play.mjs").read_bytes())
    return path


@pytest.fixture(params=["python", "python-sync", "javascript"])
def play(request: pytest.FixtureRequest) -> Play:
    match request.param:
        case "python":
            return awaiting
        case "python-sync":
            return in_threads
        case _:
            path: Path = request.getfixturevalue("program")
            return lambda given: in_node(path, given)


async def in_node(path: Path, given: Mapping[str, Any]) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        tool("node"),
        path.name,
        cwd=path.parent,
        env={**os.environ, "NODE_ENV": "test"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(given).encode())
    assert process.returncode == 0
    outcomes: list[str] = json.loads(out)
    return outcomes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
@pytest.mark.xdist_group("gateway-cases")
async def test_a_case(case: Mapping[str, Any], play: Play, tmp_path: Path) -> None:
    given, expected = _filled(case["given"]), case["expected"]
    service = Service(given["service"])
    async with asyncio.timeout(PATIENCE_S), listening(service) as service_port:
        settings = settings_in(tmp_path, CORPUS_SERVICE_URL=f"http://127.0.0.1:{service_port}")
        async with open_edge(settings, TABLE) as edge, serving(edge) as gateway:
            way = Way(gateway.port, given.get("lose", 0), given.get("left", ""))
            async with listening(way) as port:
                address = {"base_url": f"http://127.0.0.1:{port}", "api_key": await key_in(tmp_path)}
                outcomes = Counter(await play({**given, **address}))
    assert _differing(outcomes, expected["outcomes"]) == {}
    assert _differing(Counter(str(answer.status) for answer in way.answers), expected["answered"]) == {}
    if "replayed" in expected:
        replayed = [answer.fields.get("idempotency-replayed") for answer in way.answers]
        assert replayed.count("true") == expected["replayed"]
    if "sent" in expected:
        assert len(way.requests) == len(expected["sent"])
        _compare(way.requests, expected["sent"])
    reached = expected["reached"]
    assert _fits(len(service.requests), reached)
    if "with" in reached:
        _compare(service.requests[-1:], [reached["with"]])


def _filled(value: Any) -> Any:
    """What is written short, in full."""
    match value:
        case {"$job": str(name)}:
            counts = {"documents_total": 1, "documents_added": 0, "documents_unchanged": 0}
            return {"id": name, "state": "queued", **counts, "created_at": "2026-03-01T09:30:00Z"}
        case {"$documents": int(count)}:
            return [{"title": f"note {n}", "text": "Sounds meet.", "language": "en"} for n in range(count)]
        case dict():
            return {name: _filled(member) for name, member in value.items()}
        case list():
            return [_filled(element) for element in value]
        case _:
            return value


def _fits(count: int, expected: int | Mapping[str, int]) -> bool:
    if isinstance(expected, int):
        return count == expected
    return expected["at_least"] <= count <= expected["at_most"]


def _differing(found: Mapping[str, int], expected: Mapping[str, Any]) -> dict[str, int]:
    """Those that are not as often as expected."""
    names = {*found, *expected}
    return {
        name: found.get(name, 0) for name in names if not _fits(found.get(name, 0), expected.get(name, 0))
    }


def _compare(messages: Sequence[Message], expected: Sequence[Mapping[str, Any]]) -> None:
    keys: list[str] = []
    for message, wanted in zip(messages, expected, strict=True):
        for name, value in wanted.items():
            assert _is(message.fields, name, value, keys), (name, message.fields.get(name), value)


def _is(fields: Fields, name: str, value: Any, keys: list[str]) -> bool:
    text = fields.get(name, "")
    match value:
        case {"key": int(number)}:
            if text not in keys:
                keys.append(text)
            return bool(text) and keys.index(text) == number - 1
        case {"at_least": _, "at_most": _}:
            return text.isdigit() and _fits(int(text), value)
        case _:
            return bool(text == value)


@pytest.mark.parametrize("name", TOPICS)
def test_every_file_follows_the_schema(name: str) -> None:
    schema = json.loads((FOLDER / "case.schema.json").read_text("utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(TOPICS[name])] == []
    assert TOPICS[name]["topic"] == name
    assert {case["id"].split("/")[0] for case in TOPICS[name]["cases"]} == {name}


def test_no_two_cases_have_one_id() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)
