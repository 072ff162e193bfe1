"""Operations without a service: answered with what the specification shows, behind everything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.core.mocks.terminal import build_mock
from dhatu_gateway.core.mocks.values import NoValueError, small_value
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.settings import read_settings
from gateway.core.test_app import TABLE, key_in, platform, settings_in
from gateway.streaming.support import HANDSHAKE
from gateway.support import make_route, serving

SEARCH = "/api/v1/corpus/search?q=x"


async def test_a_mocked_service_answers_with_its_first_example(tmp_path: Path) -> None:
    async with platform(tmp_path, GATEWAY_MOCK="corpus") as (client, key):
        reply = await client.request("GET", SEARCH, headers={"X-API-Key": key})
        status = await client.request("GET", "/api/v1/status", headers={"X-API-Key": key})
    assert reply.status == 200
    assert reply.json["documents"][0]["title"] == "The verbal root"
    assert (reply.headers["x-dhatu-mock"], reply.headers["content-type"]) == ("true", "application/json")
    assert "ratelimit" in reply.headers
    assert status.json["mocked"] == sorted(
        route.operation for route in TABLE.routes if route.service == "corpus"
    )
    assert "corpus" not in {service["name"] for service in status.json["services"]}


async def test_a_mocked_service_need_not_be_anywhere(tmp_path: Path) -> None:
    services = tuple(
        replace(service, default_url="") if service.name == "corpus" else service
        for service in TABLE.platform.services
    )
    table = replace(TABLE, platform=replace(TABLE.platform, services=services))
    database = str(tmp_path / "keys.sqlite3")
    environment = {"GATEWAY_DEMO": "1", "GATEWAY_MOCK": "corpus", "GATEWAY_DATABASE": database}
    async with open_edge(read_settings(environment, services), table) as edge, serving(edge) as client:
        headers = {"X-API-Key": await key_in(tmp_path)}
        assert (await client.request("GET", SEARCH, headers=headers)).status == 200


async def test_everything_before_the_service_is_as_usual(tmp_path: Path) -> None:
    async with platform(tmp_path, GATEWAY_MOCK="corpus") as (client, key):
        anonymous = await client.request("GET", SEARCH)
        wrong = await client.request(
            "GET", "/api/v1/corpus/search?q=x&limit=many", headers={"X-API-Key": key}
        )
    assert (anonymous.status, wrong.status) == (401, 400)
    assert "x-dhatu-mock" not in anonymous.headers | wrong.headers


async def test_one_operation_can_be_mocked_beside_a_real_service(tmp_path: Path) -> None:
    async with platform(tmp_path, GATEWAY_MOCK="decompress") as (client, key):
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        real = await client.request("POST", "/api/v1/compress", b'{"text": "x"}', headers)
    assert real.status == 200
    assert "x-dhatu-mock" not in real.headers


async def test_a_caller_may_ask_for_another_answer(tmp_path: Path) -> None:
    path = "/api/v1/corpus/documents/doc_3c1f0a9e5b7d42868f10c2aa"
    async with platform(tmp_path, GATEWAY_MOCK="corpus") as (client, key):

        async def preferring(preference: str) -> tuple[int, str]:
            reply = await client.request("GET", path, headers={"X-API-Key": key, "Prefer": preference})
            return reply.status, reply.headers["content-type"]

        assert await preferring("code=404") == (404, "application/problem+json")
        assert await preferring("respond-async, Code=404; wait=10") == (404, "application/problem+json")
        assert await preferring("example=nobodyknows") == (400, "application/problem+json")
        assert (await preferring("wait=10"))[0] == 200


async def test_nothing_stands_in_for_a_websocket(tmp_path: Path) -> None:
    async with platform(tmp_path, GATEWAY_MOCK="corpus") as (client, key):
        headers = HANDSHAKE | {"X-API-Key": key}
        reply = await client.request("GET", "/api/v1/corpus/search/live", headers=headers)
    assert (reply.status, reply.json["type"].rpartition("/")[2]) == (503, "upstream-unavailable")


@pytest.mark.parametrize("route", [route for route in TABLE.routes if route.service != "system"], ids=str)
def test_every_operation_can_be_mocked(route: Any) -> None:
    build_mock(route, Schemas(TABLE.document), "X-Dhatu-")


async def test_a_name_that_is_nobodys_is_refused(tmp_path: Path) -> None:
    for name in ("corpsu", "system"):
        with pytest.raises(ValueError, match=f"GATEWAY_MOCK: {name} is neither a service nor an operation"):
            async with open_edge(settings_in(tmp_path, GATEWAY_MOCK=name), generated_table()):
                pass


def test_an_answer_of_which_no_value_is_found_is_refused() -> None:
    schema = {"type": "string", "pattern": "^[0-9]{4}$"}
    responses = {"200": {"content": {"application/json": {"schema": schema}}}}
    document = {"paths": {"/api/v1/things": {"get": {"responses": responses}}}}
    with pytest.raises(ValueError, match="give the answer an example"):
        build_mock(make_route(), Schemas(document), "X-Dhatu-")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3, "multipleOf": 2}, 4),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 0.5),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "string", "minLength": 2}, "aa"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": ["null", "boolean"]}, False),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 7}, 7),
        ({"type": "array", "minItems": 2, "items": {"type": "boolean"}}, [False, False]),
        ({"required": ["a"], "properties": {"a": {"type": "null"}, "b": {}}}, {"a": None}),
        (
            {"allOf": [{"$ref": "#/a"}, {"required": ["y"], "properties": {"y": {"const": 1}}}]},
            {"x": 0, "y": 1},
        ),
        ({"oneOf": [{"$ref": "#/a"}, {"type": "string"}]}, {"x": 0}),
        ({"examples": ["shown"]}, "shown"),
    ],
)
def test_a_small_value_is_made_that_the_schema_allows(schema: dict[str, Any], value: object) -> None:
    schemas = Schemas({"a": {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}})
    assert small_value(schema, schemas) == value
    assert schemas.check(schema, value)
    assert jsonschema_rs.is_valid({"type": ["object", "string", "number", "array", "boolean"]}, value)


def test_a_schema_that_must_hold_itself_has_no_value() -> None:
    schemas = Schemas({"a": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/a"}}}})
    with pytest.raises(NoValueError):
        small_value({"$ref": "#/a"}, schemas)
