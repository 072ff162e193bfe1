from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest
from dhatu_reference.service import ServiceProblem, create_service, limited, media_type, read_model
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict


class Pair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    left: int
    right: list[int]


def _app() -> FastAPI:
    app = create_service("Test")

    @app.get("/fail")
    async def fail() -> None:
        raise KeyError("a secret that must not leak")

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "I pour no coffee.")

    @app.get("/refuse")
    async def refuse() -> None:
        raise ServiceProblem(404, "No document has the id 7.")

    @app.get("/number/{number}")
    async def number(number: int, limit: int = 1) -> int:
        return number * limit

    @app.post("/pair")
    async def pair(request: Request) -> dict[str, object]:
        read = await read_model(request, Pair, max_bytes=64)
        return {"left": read.left, "media_type": media_type(request)}

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await limited(request, max_bytes=10).body())

    return app


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def test_health_says_ok(client: httpx.AsyncClient) -> None:
    response = await client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/health/"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == f"Nothing is served at {path}."


async def test_a_problem_says_what_where_and_for_which_request(client: httpx.AsyncClient) -> None:
    response = await client.get("/refuse", headers={"X-Request-Id": "req_1"})
    assert response.json() == {
        "type": "https://docs.dhatu.dev/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "No document has the id 7.",
        "instance": "/refuse",
        "request_id": "req_1",
    }


async def test_a_path_is_encoded_in_the_problem(client: httpx.AsyncClient) -> None:
    response = await client.get("/dhātu <1>")
    assert response.json()["instance"] == "/dh%C4%81tu%20%3C1%3E"


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    response = await client.delete("/health")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert response.json()["type"].endswith("/method-not-allowed")


async def test_an_unexpected_error_tells_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    response = await client.get("/fail")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    assert "Traceback" not in response.text


async def test_any_other_status_keeps_its_detail(client: httpx.AsyncClient) -> None:
    response = await client.get("/teapot")
    assert (response.status_code, response.json()["detail"]) == (418, "I pour no coffee.")


async def test_every_refused_parameter_is_named(client: httpx.AsyncClient) -> None:
    response = await client.get("/number/x?limit=y")
    assert response.status_code == 400
    assert response.json()["detail"] == "2 parts of the request were refused; see errors."
    assert [(error["location"], error["name"]) for error in response.json()["errors"]] == [
        ("path", "number"),
        ("query", "limit"),
    ]


async def test_a_body_is_read_as_a_model(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    response = await client.post("/pair", content=b'{"left": 1, "right": [2]}', headers=headers)
    assert response.json() == {"left": 1, "media_type": "application/json"}


async def test_every_refused_part_of_a_body_is_named_by_its_pointer(client: httpx.AsyncClient) -> None:
    response = await client.post("/pair", json={"right": [1, "x"], "a/b": 1})
    assert response.status_code == 400
    details = {error["name"]: error["detail"] for error in response.json()["errors"]}
    assert details["/left"] == "is required"
    assert details["/a~1b"] == "is not known here"
    assert "integer" in details["/right/1"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"left": 1} x', b'"\\ud800"', b"\xff\xfe"])
async def test_malformed_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/pair", content=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["name"] == ""


@pytest.mark.parametrize("path", ["/pair", "/size"])
async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path, content=b"x" * 65)
    assert response.status_code == 413


async def test_a_body_at_the_limit_is_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/size", content=b"x" * 10)).json() == 10
