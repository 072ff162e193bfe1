"""Proper requests, one for every example in the document: what mutations begin with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

BOUNDARY = "sutra"
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A request that the gateway accepts."""

    method: bytes
    path: bytes
    query: bytes
    content_type: bytes
    body: bytes
    """Empty where there is none."""
    proxied: bool
    """A service answers it; otherwise the gateway does."""


def seeds_of(document: dict[str, Any]) -> tuple[Seed, ...]:
    """Read the examples of all operations."""
    return tuple(
        seed
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
        for seed in _seeds(document, path, method, item)
    )


def _seeds(document: dict[str, Any], path: str, method: str, item: dict[str, Any]) -> list[Seed]:
    operation = item[method]
    query: list[tuple[str, str]] = []
    for written in [*item.get("parameters", []), *operation.get("parameters", [])]:
        parameter = _resolved(document, written)
        value = str(_example(parameter, "1"))
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(value, safe=""))
        elif parameter["in"] == "query":
            query.append((parameter["name"], value))
    return [
        Seed(
            method=method.upper().encode(),
            path=path.encode(),
            query=urlencode(query).encode(),
            content_type=content_type.encode(),
            body=body,
            proxied=operation["x-dhatu"]["service"] != "system",
        )
        for content_type, body in _bodies(operation)
    ]


def _bodies(operation: dict[str, Any]) -> list[tuple[str, bytes]]:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    found = [_body(media_type, _example(described, {})) for media_type, described in content.items()]
    return found or [("", b"")]


def _body(media_type: str, example: Any) -> tuple[str, bytes]:
    if media_type == "multipart/form-data":
        disposition = 'Content-Disposition: form-data; name="'
        parts = [
            f'--{BOUNDARY}\r\n{disposition}{name}"\r\n\r\n{value}\r\n' for name, value in example.items()
        ]
        return f"{media_type}; boundary={BOUNDARY}", "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()
    if media_type == "application/octet-stream":
        return media_type, "dharmakṣetre kurukṣetre samavetā yuyutsavaḥ".encode()
    return media_type, json.dumps(example, ensure_ascii=False).encode() + b"\n"


def _example(described: dict[str, Any], otherwise: Any) -> Any:
    for named in described.get("examples", {}).values():
        return named["value"]
    return described.get("example", otherwise)


def _resolved(document: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = written
    if "$ref" in written:
        value = document
        for token in written["$ref"].removeprefix("#/").split("/"):
            value = value[token]
    return value
