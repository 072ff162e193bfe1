"""Large JSON bodies, which another process checks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

import anyio.to_process
import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Body, MediaType
from dhatu_gateway.core.validation.apart import APART_BYTES, check_apart, problem_of
from gateway.support import compose, make_route, serving

ITEM = {"type": "object", "properties": {"n": {"type": "integer"}}}
DOCUMENT: dict[str, Any] = {"list": {"type": "array", "items": ITEM}}
JSON = MediaType(media_type="application/json", schema="/list", kind="json", parts=())


def large(last: Any) -> bytes:
    body = json.dumps([*({"n": number} for number in range(30_000)), {"n": last}]).encode()
    assert len(body) > APART_BYTES
    return body


async def test_a_large_body_is_checked_like_any_other_while_others_are_served() -> None:
    body = Body(required=True, media_types=(JSON,))
    on = compose(make_route("POST", body=body, max_body_bytes=10_000_000), make_route(), document=DOCUMENT)
    async with serving(on.edge) as client:
        fields = {"Content-Type": "application/json"}
        async with asyncio.timeout(60):
            good = await client.request("POST", "/api/v1/things", large(1), fields)
            bad, other = await asyncio.gather(
                client.request("POST", "/api/v1/things", large("x"), fields),
                client.request("GET", "/api/v1/things"),
            )
    assert len(good.json["body"]) == len(large(1))
    assert bad.parts == [("body", "/30000/n", "must be an integer")]
    assert other.status == 200


def test_the_verdict_is_that_of_the_stage() -> None:
    document = json.dumps(DOCUMENT).encode()
    assert problem_of(document, "/list", b"[]") is None
    assert problem_of(document, "", b"7") is None
    for bad, pointer in ((b"[", "/list"), (b'[{"a": 1, "a": 2}]', ""), (b"{}", "/list")):
        problem = problem_of(document, pointer, bad)
        assert problem is not None
        assert problem.kind == "invalid-request"
        assert problem.errors


async def test_a_process_that_dies_is_told_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dying(*arguments: Any, **options: Any) -> Any:
        return await real(os.kill, await real(os.getpid), signal.SIGKILL)

    real = anyio.to_process.run_sync
    with monkeypatch.context() as patch:
        patch.setattr(anyio.to_process, "run_sync", dying)
        with pytest.raises(ProblemError) as refused:
            await check_apart(b"{}", "", b"1")
    assert refused.value.problem.kind == "unavailable"
    with anyio.fail_after(60):
        await check_apart(b"{}", "", b"1")
