"""Wherever tokens come from: obtained once, renewed in time, renewed once after a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from dhatu_client import AuthenticationError, TokenError
from dhatu_client._call import BodySpec
from sdk.auth.world import LIFETIME_S, READ, SOURCES, TOKEN_API, Connect, Source, TokenServer, read
from sdk.support import AsyncCaller, Caller


@pytest.fixture(params=list(SOURCES.values()), ids=list(SOURCES))
def source(request: pytest.FixtureRequest) -> Source:
    found: Source = request.param
    return found


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


@pytest.fixture
def caller(connect: Connect, source: Source, server: TokenServer) -> Caller:
    return connect(server, api=TOKEN_API, max_retries=0, **source(server))


def test_one_token_serves_many_calls(caller: Caller, server: TokenServer) -> None:
    for _ in range(3):
        read(caller)
    assert server.used == ["access-1"] * 3
    assert len(server.requests) == 1


def test_nothing_is_obtained_before_it_is_needed(caller: Caller, server: TokenServer) -> None:
    assert server.requests == []


def test_it_is_renewed_before_it_ends(caller: Caller, server: TokenServer) -> None:
    read(caller)
    caller.time.now += LIFETIME_S - 121  # the margin is 60 s, doubled at most by the jitter
    read(caller)
    caller.time.now += 62
    read(caller)
    assert server.used == ["access-1", "access-1", "access-2"]


def test_one_without_an_end_is_held_until_it_is_refused(caller: Caller, server: TokenServer) -> None:
    server.lifetime_s = None
    read(caller)
    caller.time.now += 1e9
    read(caller)
    server.valid.clear()
    read(caller)
    assert server.used == ["access-1", "access-1", "access-1", "access-2"]


def test_a_refused_one_is_renewed_and_the_call_made_again(caller: Caller, server: TokenServer) -> None:
    read(caller)
    server.valid.clear()
    read(caller)  # without a retry: max_retries is 0
    assert server.used == ["access-1", "access-1", "access-2"]


def test_a_second_refusal_is_the_callers(caller: Caller, server: TokenServer) -> None:
    read(caller)
    server.valid = _Nothing()
    with pytest.raises(AuthenticationError):
        read(caller)
    assert server.used == ["access-1", "access-1", "access-2"]


def test_a_body_that_cannot_be_sent_again_still_tells_of_the_refusal(
    caller: Caller, server: TokenServer
) -> None:
    read(caller)
    server.valid.clear()
    with pytest.raises(AuthenticationError):
        caller.call(_upload(), content=iter([b"once"]) if not isinstance(caller, AsyncCaller) else _once())
    read(caller)
    assert server.used == ["access-1", "access-1", "access-2"]


def test_clones_share_it(caller: Caller, server: TokenServer) -> None:
    read(caller)
    caller.client = caller.client.with_options(timeout_s=5.0)
    read(caller)
    assert server.used == ["access-1", "access-1"]


def test_a_renewal_that_fails_early_does_no_harm(caller: Caller, server: TokenServer) -> None:
    read(caller)
    server.trouble = [httpx.ConnectError("refused")]
    caller.time.now += LIFETIME_S - 50
    read(caller)
    read(caller)
    assert server.used == ["access-1"] * 3
    assert len(server.requests) == 2, "not asked again by every call"
    caller.time.now += 26
    read(caller)
    assert server.used[-1] == "access-2"


def test_without_a_token_nothing_is_sent(connect: Connect, source: Source, server: TokenServer) -> None:
    caller = connect(server, api=TOKEN_API, max_retries=1, **source(server))
    server.trouble = [httpx.ConnectError("refused") for _ in range(2)]
    with pytest.raises((TokenError, RuntimeError)) as raised:
        read(caller)
    assert server.used == []
    if isinstance(raised.value, TokenError):
        assert len(server.requests) == 2, "a failed connection is a failed attempt"
        assert "could not be asked (ConnectError)" in str(raised.value)
        assert isinstance(raised.value.__cause__, httpx.ConnectError)
    server.trouble.clear()  # what a function raises is not for us to repeat
    read(caller)
    assert server.used == ["access-1"]


def test_fifty_callers_obtain_one(caller: Caller, server: TokenServer) -> None:
    _together(caller, 50)
    assert server.used == ["access-1"] * 50
    assert len(server.requests) == 1


def test_fifty_refused_callers_renew_once(caller: Caller, server: TokenServer) -> None:
    read(caller)
    server.valid.clear()
    _together(caller, 50)
    assert len(server.requests) == 2
    assert not server.reused


def test_a_call_that_brings_its_own_authorization_needs_none(caller: Caller, server: TokenServer) -> None:
    server.valid.add("mine")
    caller.call(READ, options={"extra_headers": {"Authorization": "Bearer mine"}})
    assert (server.used, server.requests) == (["mine"], [])


def test_an_open_operation_needs_none(caller: Caller, server: TokenServer) -> None:
    with pytest.raises(AuthenticationError):
        caller.call(_open())
    assert (server.used, server.requests) == ([""], [])


def _together(caller: Caller, count: int) -> None:
    client: Any = caller.client
    if isinstance(caller, AsyncCaller):

        async def calls() -> None:
            await asyncio.gather(*(client.call(READ, {}, {}) for _ in range(count)))

        caller.run(calls())
    else:
        with ThreadPoolExecutor(count) as pool:
            for result in [pool.submit(client.call, READ, {}, {}) for _ in range(count)]:
                result.result()


def _open() -> Any:
    return replace(READ, security=())


def _upload() -> Any:
    return replace(
        READ,
        method="POST",
        bodies=(BodySpec(media_type="application/octet-stream", kind="binary", argument="content"),),
    )


async def _once() -> AsyncIterator[bytes]:
    yield b"once"


class _Nothing(set[str]):
    """No token is good enough any more."""

    def __contains__(self, token: object) -> bool:
        return False
