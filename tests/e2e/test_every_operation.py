"""Every operation of the merged document, as it stands there, against the running platform.

Each is called with the first example of the document for every parameter and body; the answer has to be one
that the document describes, in status, media type and schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from dhatu_reference.stack import ALL_SCOPES, Stack

DOCUMENT = json.loads(
    Path(__file__)
    .parents[2]
    .joinpath("gateway/src/dhatu_gateway/generated/openapi.json")
    .read_text(encoding="utf-8")
)
DOCUMENT_URI = "urn:dhatu:openapi"
REGISTRY = jsonschema_rs.Registry([(DOCUMENT_URI, DOCUMENT)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An operation and what the document says of it."""

    method: str
    path: str
    operation: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = DOCUMENT
        for token in node["$ref"].removeprefix("#/").split("/"):
            target = target[token.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def cases() -> list[Case]:
    return [
        Case(
            method=method,
            path=path,
            operation=operation,
            parameters=tuple(map(resolve, item.get("parameters", []) + operation.get("parameters", []))),
        )
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


CASES = cases()
CALLS = [case for case in CASES if "101" not in case.operation["responses"]]
"""All but WebSockets, which `test_live_search.py` opens."""
PROTECTED = [case for case in CASES if case.operation.get("security")]
HANDSHAKE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def example(node: dict[str, Any]) -> Any:
    examples = node.get("examples") or {}
    return next(iter(examples.values()))["value"] if examples else None


def request(case: Case, base_url: str) -> httpx.Request:
    """The operation, called with the document's own examples."""
    path, query, headers = case.path, {}, {} if case in CALLS else {**HANDSHAKE}
    for parameter in case.parameters:
        value = example(parameter)
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(value))
        elif parameter["in"] == "query" and parameter.get("required"):
            query[parameter["name"]] = value
    body = None
    content = resolve(case.operation.get("requestBody", {})).get("content", {})
    if "application/json" in content:
        body = json.dumps(example(content["application/json"])).encode()
        headers["content-type"] = "application/json"
    return httpx.Request(case.method, base_url + path, params=query, headers=headers, content=body)


async def send(prepared: httpx.Request, key: str | None) -> httpx.Response:
    if key is not None:
        prepared.headers["x-api-key"] = key
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.send(prepared)


def check_answer(case: Case, answer: httpx.Response) -> None:
    """Holds the answer against the document."""
    responses = case.operation["responses"]
    status = str(answer.status_code)
    described = responses.get(status) or responses.get("default")
    assert described is not None, f"{status} is not described"
    content = resolve(described).get("content", {})
    media_type = answer.headers.get("content-type", "").split(";")[0]
    if not content:
        assert not answer.content
        return
    assert media_type in content
    schema = content[media_type].get("schema")
    if schema is not None and media_type.endswith("json"):
        jsonschema_rs.Draft202012Validator(
            absolute(schema), registry=REGISTRY, validate_formats=True
        ).validate(answer.json())


def absolute(schema: Any) -> Any:
    """The schema with references that hold outside the document too."""
    if isinstance(schema, dict):
        return {
            key: DOCUMENT_URI + value if key == "$ref" else absolute(value) for key, value in schema.items()
        }
    return [absolute(item) for item in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def full_key(stack: Stack) -> str:
    return stack.create_key("every operation")


@pytest.fixture(scope="module")
def key_without(stack: Stack) -> Callable[[frozenset[str]], str]:
    """Makes a key that holds every scope but these."""

    @cache
    def create(missing: frozenset[str]) -> str:
        return stack.create_key("almost", tuple(scope for scope in ALL_SCOPES if scope not in missing))

    return create


@pytest.mark.parametrize("case", CALLS, ids=str)
async def test_the_answer_is_one_that_the_document_describes(
    case: Case, base_url: str, full_key: str
) -> None:
    answer = await send(request(case, base_url), full_key)
    refusals = {400, 403, 415} | ({401} if case in PROTECTED else set())  # an example is no real password
    assert answer.status_code < 500
    assert answer.status_code not in refusals, answer.text
    check_answer(case, answer)


@pytest.mark.parametrize("case", PROTECTED, ids=str)
async def test_nobody_gets_in_without_a_key(case: Case, base_url: str) -> None:
    answer = await send(request(case, base_url), None)
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    check_answer(case, answer)


@pytest.mark.parametrize("case", PROTECTED, ids=str)
async def test_every_scope_but_the_right_one_is_not_enough(
    case: Case, base_url: str, key_without: Callable[[frozenset[str]], str]
) -> None:
    needed = frozenset(
        scope for need in case.operation["security"] for scopes in need.values() for scope in scopes
    )
    answer = await send(request(case, base_url), key_without(needed))
    assert answer.status_code == 403
    check_answer(case, answer)
