"""What a client may be given to obtain tokens with, and what the environment may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from dhatu_client import APIKeyGrant, ClientCredentials, ConfigurationError, PasswordGrant, Token
from dhatu_client._auth.session import Place, Session
from dhatu_client._call import GrantSpec, SchemeSpec
from sdk.auth.world import READ, TOKEN_API, TOKEN_URL, Connect, TokenServer, read
from sdk.support import API, AsyncCaller, SyncCaller

BASIC = SchemeSpec(key="basic", kind="basic")
CLIENT = ClientCredentials(client_id="reader", client_secret="s3cret")


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


def way(server: TokenServer) -> list[tuple[str, Any]]:
    return [
        (request.url.path.removeprefix("/base/"), server.sent(request).get("grant_type"))
        for request in server.requests
    ]


class TestArguments:
    def test_name_and_password_are_traded_where_the_api_does(
        self, connect: Connect, server: TokenServer
    ) -> None:
        read(connect(server, api=TOKEN_API, username="u:v", password="p"))
        assert way(server) == [("sign-in", "password")]

    def test_but_travel_as_basic_where_it_has_that(self, connect: Connect, server: TokenServer) -> None:
        api = replace(TOKEN_API, schemes=(*TOKEN_API.schemes, BASIC))
        server.valid.add("Basic dTpw")
        connect(server, api=api, username="u", password="p").call(replace(READ, security=(("basic",),)))
        assert server.requests == []

    def test_a_given_token_goes_before_them(self, connect: Connect, server: TokenServer) -> None:
        server.valid.add("mine")
        read(connect(server, api=TOKEN_API, username="u", password="p", token="mine"))
        assert (server.used, server.requests) == (["mine"], [])

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"token": "t", "auth": CLIENT}, "token= and auth= both say"),
            ({"auth": "s3cret"}, "auth= takes one of ClientCredentials, RefreshToken"),
            ({"auth": replace(CLIENT, client_id="")}, "ClientCredentials is empty"),
            ({"auth": APIKeyGrant(api_key="")}, "APIKeyGrant is empty"),
            ({"credentials": {"apiKey": CLIENT}}, r"credentials\['apiKey'\] must be a secret"),
            ({"credentials": {"nothing": CLIENT}}, "does not say where|names the scheme 'nothing'"),
            ({"password": "s3cret"}, "the name is missing"),
        ],
    )
    def test_what_cannot_work_is_refused(
        self, connect: Connect, settings: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=message) as raised:
            connect(api=TOKEN_API, **settings)
        assert "s3cret" not in str(raised.value)

    def test_a_scheme_looks_for_its_own_token_endpoint(self, connect: Connect, server: TokenServer) -> None:
        grant = GrantSpec(kind="client_credentials", url="https://other.test/token")
        other = SchemeSpec(key="other", kind="bearer", grants=(grant,))
        api = replace(TOKEN_API, schemes=(*TOKEN_API.schemes, other))
        caller = connect(server, api=api, credentials={"other": CLIENT, "bearer": CLIENT})
        caller.call(replace(READ, security=(("other",),)))
        read(caller)
        assert [request.url.host for request in server.requests] == ["other.test", "auth.test"]

    def test_two_tokens_do_not_fit_into_one_header(self, connect: Connect, server: TokenServer) -> None:
        api = replace(TOKEN_API, schemes=(*TOKEN_API.schemes, SchemeSpec(key="other", kind="bearer")))
        server.valid.add("second")
        caller = connect(server, api=api, auth=CLIENT, credentials={"other": "second"})
        caller.call(replace(READ, security=(("bearer", "other"), ("other",))))
        assert server.used == ["second"]

    def test_an_address_that_only_a_provider_knows_is_too_late(self) -> None:
        place = Place(TOKEN_API.schemes, "", "sample-client/1.2.3")
        with pytest.raises(ConfigurationError, match="follows from base_url, which must be an address"):
            Session(PasswordGrant(username="u", password="p"), place)


class TestFunctions:
    def test_a_str_is_held_until_it_is_refused(self, connect: Connect, server: TokenServer) -> None:
        caller = connect(server, api=API, token=lambda: server.provide().value)
        read(caller)
        caller.time.now += 1e9
        read(caller)
        server.valid.clear()
        read(caller)
        assert server.used == ["access-1"] * 3 + ["access-2"]

    def test_an_async_one_is_awaited_by_the_async_client(self, server: TokenServer) -> None:
        caller = AsyncCaller(server, api=API, token=server.aprovide)
        read(caller)
        caller.close()
        assert server.used == ["access-1"]

    @pytest.mark.parametrize("name", ["token", "credentials"])
    def test_and_refused_by_the_sync_one_at_once(self, server: TokenServer, name: str) -> None:
        given: Any = server.aprovide if name == "token" else {"bearer": server.aprovide}
        with pytest.raises(ConfigurationError, match="is an async function, which the sync client cannot"):
            SyncCaller(api=API, **{name: given})

    def test_one_that_does_not_look_async_is_found_out(self, connect: Connect, server: TokenServer) -> None:
        caller = connect(server, api=API, token=lambda: server.aprovide())
        if isinstance(caller, SyncCaller):
            with pytest.raises(ConfigurationError, match="cannot await"):
                read(caller)
        else:
            read(caller)
            assert server.used == ["access-1"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (None, "returned NoneType, not a str or Token"),
            ("", "returned an empty token"),
            ("s3cret\n", "holds a character that no credential has"),
            (Token("s3cret\n"), "holds a character that no credential has"),
        ],
    )
    def test_what_it_returns_has_to_be_a_token(self, connect: Connect, given: Any, message: str) -> None:
        with pytest.raises(ConfigurationError, match=message) as raised:
            read(connect(TokenServer(), api=API, token=lambda: given))
        assert "s3cret" not in str(raised.value)


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("USERNAME", "PASSWORD", "CLIENT_ID", "CLIENT_SECRET"):
            monkeypatch.delenv(f"SAMPLE_{name}", raising=False)

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            ({"USERNAME": "u", "PASSWORD": "p"}, [("sign-in", "password")]),
            ({"CLIENT_ID": "c", "CLIENT_SECRET": "s"}, [("/token", "client_credentials")]),
            (
                {"USERNAME": "u", "PASSWORD": "p", "CLIENT_ID": "c", "CLIENT_SECRET": "s"},
                [("sign-in", "password")],
            ),
            ({"TOKEN": "mine", "USERNAME": "u", "PASSWORD": "p"}, []),
            ({"TOKEN": "mine", "CLIENT_ID": "c", "CLIENT_SECRET": "s"}, []),
        ],
    )
    def test_says_how_where_no_argument_does(
        self,
        connect: Connect,
        server: TokenServer,
        monkeypatch: pytest.MonkeyPatch,
        variables: dict[str, str],
        expected: list[tuple[str, str]],
    ) -> None:
        server.valid.add("mine")
        for name, value in variables.items():
            monkeypatch.setenv(f"SAMPLE_{name}", value)
        read(connect(server, api=TOKEN_API))
        assert way(server) == expected

    def test_is_not_read_where_an_argument_does(
        self, connect: Connect, server: TokenServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAMPLE_TOKEN", "mine")
        read(connect(server, api=TOKEN_API, auth=CLIENT))
        assert server.used == ["access-1"]
        assert str(server.requests[0].url) == TOKEN_URL

    def test_half_a_client_is_none(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SAMPLE_CLIENT_ID", "c")
        with pytest.raises(ConfigurationError, match="SAMPLE_CLIENT_ID and SAMPLE_CLIENT_SECRET go together"):
            connect(api=TOKEN_API)

    def test_is_read_once(
        self, connect: Connect, server: TokenServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAMPLE_CLIENT_ID", "c")
        monkeypatch.setenv("SAMPLE_CLIENT_SECRET", "s")
        caller = connect(server, api=TOKEN_API)
        monkeypatch.delenv("SAMPLE_CLIENT_ID")
        read(caller)
        assert server.used == ["access-1"]
