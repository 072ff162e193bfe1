"""Refresh tokens: rotated, refused, lost, and never sent twice where that could end the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from dhatu_client import APIKeyGrant, PasswordGrant, RefreshToken, Token, TokenError
from sdk.auth.world import LIFETIME_S, TOKEN_API, Connect, TokenServer, read
from sdk.support import Caller


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


@pytest.fixture(
    params=[
        lambda: PasswordGrant(username="u", password="p"),
        lambda: APIKeyGrant(api_key="k"),
    ],
    ids=["password", "api key"],
)
def caller(request: pytest.FixtureRequest, connect: Connect, server: TokenServer) -> Caller:
    make: Callable[[], Any] = request.param
    return connect(server, api=TOKEN_API, max_retries=0, auth=make())


def paths(server: TokenServer) -> list[str]:
    return [request.url.path.removeprefix("/base/") for request in server.requests]


def later(caller: Caller) -> None:
    caller.time.now += LIFETIME_S
    read(caller)


class TestWithSomethingToFallBackOn:
    def test_each_refresh_token_is_used_once(self, caller: Caller, server: TokenServer) -> None:
        read(caller)
        later(caller)
        later(caller)
        assert paths(server) == ["sign-in", "renew", "renew"]
        assert [server.sent(request) for request in server.requests[1:]] == [
            {"refresh_token": "refresh-1"},
            {"refresh_token": "refresh-2"},
        ]
        assert not server.reused

    def test_one_that_is_not_rotated_is_used_again(self, caller: Caller, server: TokenServer) -> None:
        server.rotates = False
        read(caller)
        later(caller)
        later(caller)
        assert paths(server) == ["sign-in", "renew", "renew"]
        assert server.sent(server.requests[2]) == {"refresh_token": "refresh-1"}

    def test_where_it_is_refused_the_session_begins_anew(self, caller: Caller, server: TokenServer) -> None:
        read(caller)
        server.refresh_tokens.clear()
        later(caller)
        later(caller)
        assert paths(server) == ["sign-in", "renew", "sign-in", "renew"]

    @pytest.mark.parametrize("trouble", [httpx.ReadTimeout("late"), httpx.Response(502)])
    def test_after_an_answer_that_got_lost_it_is_not_sent_again(
        self, caller: Caller, server: TokenServer, trouble: Any
    ) -> None:
        read(caller)
        server.trouble = [trouble]
        with pytest.raises(TokenError):
            later(caller)
        read(caller)
        assert paths(server) == ["sign-in", "renew", "sign-in"]
        assert not server.reused

    @pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.Response(429)])
    def test_what_nobody_read_is_sent_again(self, caller: Caller, server: TokenServer, trouble: Any) -> None:
        read(caller)
        server.trouble = [trouble]
        with pytest.raises(TokenError):
            later(caller)
        read(caller)
        assert paths(server) == ["sign-in", "renew", "renew"]


class TestRefreshTokenAlone:
    def test_every_new_one_is_told_before_it_is_used(self, connect: Connect, server: TokenServer) -> None:
        told: list[tuple[str, list[str]]] = []

        def store(token: Token) -> None:
            told.append((token.refresh_token, list(server.used)))

        caller = connect(server, api=TOKEN_API, auth=RefreshToken(refresh_token="refresh-0", on_token=store))
        read(caller)
        later(caller)
        assert told == [("refresh-1", []), ("refresh-2", ["access-1"])]

    def test_one_that_could_not_be_told_is_not_lost(self, connect: Connect, server: TokenServer) -> None:
        def store(token: Token) -> None:
            if token.refresh_token == "refresh-1":
                raise OSError("the disk is full")

        caller = connect(server, api=TOKEN_API, auth=RefreshToken(refresh_token="refresh-0", on_token=store))
        with pytest.raises(OSError, match="disk"):
            read(caller)
        read(caller)
        assert server.sent(server.requests[-1]) == {"refresh_token": "refresh-1"}

    def test_a_refused_one_is_the_callers(self, connect: Connect, server: TokenServer) -> None:
        server.refresh_tokens.clear()
        caller = connect(server, api=TOKEN_API, auth=RefreshToken(refresh_token="refresh-0"))
        with pytest.raises(TokenError) as raised:
            read(caller)
        assert raised.value.error == "invalid_grant"

    def test_after_an_answer_that_got_lost_it_is_all_there_is(
        self, connect: Connect, server: TokenServer
    ) -> None:
        server.trouble = [httpx.ReadTimeout("late")]
        caller = connect(server, api=TOKEN_API, auth=RefreshToken(refresh_token="refresh-0"))
        read(caller)
        assert paths(server) == ["renew", "renew"]
