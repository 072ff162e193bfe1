"""Holds real answers of a service against its own OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import yaml
from fastapi import FastAPI

_SERVICES = Path(__file__).parents[2] / "spec" / "services"


class Contract:
    """One OpenAPI document; `check` is called with every answer, as an httpx event hook."""

    def __init__(self, service: str) -> None:
        self._document: dict[str, Any] = yaml.safe_load((_SERVICES / f"{service}.yaml").read_text("utf-8"))
        self._paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))), item)
            for template, item in self._document["paths"].items()
        ]

    async def check(self, response: httpx.Response) -> None:
        await response.aread()
        operation = self._operation(response.request)
        if operation is None:
            return
        declared = self._resolve(operation["responses"][str(response.status_code)])
        for name, header in declared.get("headers", {}).items():
            assert name in response.headers or not header.get("required"), f"{name} is missing"
            if name in response.headers:
                self._validate(header["schema"], response.headers[name])
        if "content" not in declared:
            assert response.content == b""
            return
        media_type = response.headers["content-type"].partition(";")[0]
        schema = declared["content"][media_type].get("schema")
        if media_type == "text/event-stream":
            for data in re.findall(r"^data: (.*)$", response.text, re.MULTILINE):
                self._validate(schema, json.loads(data))
        elif schema is not None:
            self._validate(schema, response.json())

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        for pattern, item in self._paths:
            if pattern.fullmatch(request.url.path):
                operation: dict[str, Any] | None = item.get(request.method.lower())
                return operation
        return None

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        target: dict[str, Any] = self._document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return target

    def _validate(self, schema: dict[str, Any], instance: object) -> None:
        whole = {"components": self._document["components"], "allOf": [schema]}
        jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(instance)


@asynccontextmanager
async def client_of(app: FastAPI, service: str) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client of the running app; every answer must be one that the service's document allows."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    hooks = {"response": [Contract(service).check]}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", event_hooks=hooks) as client,
    ):
        yield client
