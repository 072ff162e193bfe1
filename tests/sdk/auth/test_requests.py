"""What goes to a token endpoint, and what is made of its answers."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any

import httpx
import pytest
from dhatu_client import (
    APIKeyGrant,
    ClientCredentials,
    ConfigurationError,
    PasswordGrant,
    RefreshToken,
    Token,
    TokenError,
)
from dhatu_client._call import SchemeSpec
from dhatu_client._client import SyncAPIClient
from sdk.auth.world import DISCOVERY_URL, READ, TOKEN_API, TOKEN_URL, Connect, TokenServer, read

CLIENT = ClientCredentials(client_id="reader", client_secret="s3cr:t ünd")
OIDC_API = replace(TOKEN_API, schemes=(SchemeSpec(key="bearer", kind="bearer", discovery_url=DISCOVERY_URL),))


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


def asked(connect: Connect, server: TokenServer, auth: Any, api: Any = TOKEN_API) -> httpx.Request:
    """The token request that one call leads to."""
    read(connect(server, api=api, auth=auth))
    return server.requests[-1]


class TestRequests:
    def test_a_client_proves_itself_by_basic(self, connect: Connect, server: TokenServer) -> None:
        request = asked(
            connect, server, replace(CLIENT, scopes=("a:read", "b:read"), extra={"audience": "x"})
        )
        assert str(request.url) == TOKEN_URL
        assert server.sent(request) == {
            "grant_type": "client_credentials",
            "scope": "a:read b:read",
            "audience": "x",
        }
        kind, _, pair = request.headers["authorization"].partition(" ")
        # Both halves as a form would have them (RFC 6749, section 2.3.1), so that the colon divides.
        assert (kind, b64decode(pair)) == ("Basic", b"reader:s3cr%3At+%C3%BCnd")

    def test_or_by_post(self, connect: Connect, server: TokenServer) -> None:
        request = asked(connect, server, replace(CLIENT, client_auth="post"))
        assert "authorization" not in request.headers
        assert server.sent(request) == {
            "grant_type": "client_credentials",
            "client_id": "reader",
            "client_secret": CLIENT.client_secret,
        }

    def test_a_public_client_only_says_who_it_is(self, connect: Connect, server: TokenServer) -> None:
        auth = RefreshToken(refresh_token="refresh-0", client_id="cli", token_url=TOKEN_URL)
        request = asked(connect, server, auth)
        assert "authorization" not in request.headers
        assert server.sent(request) == {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-0",
            "client_id": "cli",
        }

    def test_an_api_is_asked_in_its_own_words(self, connect: Connect, server: TokenServer) -> None:
        request = asked(connect, server, PasswordGrant(username="u", password="p", scopes=("a", "b")))
        assert str(request.url) == "https://api.sample.test/base/sign-in"
        assert server.sent(request) == {
            "grant_type": "password",
            "username": "u",
            "password": "p",
            "scopes": ["a", "b"],
        }

    def test_discovery_tells_where_and_how_once(self, connect: Connect, server: TokenServer) -> None:
        server.lifetime_s = 0.0
        caller = connect(server, api=OIDC_API, auth=CLIENT)
        assert server.requests == []
        read(caller)
        read(caller)
        assert [str(request.url) for request in server.requests] == [DISCOVERY_URL, TOKEN_URL, TOKEN_URL]
        assert server.sent(server.requests[-1])["client_secret"] == CLIENT.client_secret

    def test_discovery_may_not_lead_to_plain_http(self, connect: Connect, server: TokenServer) -> None:
        server.trouble = [httpx.Response(200, json={"token_endpoint": "http://auth.test/token"})]
        with pytest.raises(TokenError, match=r"auth\.test names no token endpoint that is reached by https"):
            read(connect(server, api=OIDC_API, auth=CLIENT))

    def test_redirects_are_not_followed_even_by_a_client_that_does(self) -> None:
        server = TokenServer()
        server.trouble = [httpx.Response(307, headers={"location": "https://evil.test/"})]
        http = httpx.Client(transport=httpx.MockTransport(server), follow_redirects=True)
        kind = type("SyncSampleAPI", (SyncAPIClient,), {"_api": TOKEN_API})
        with http, pytest.raises(TokenError, match=r"answered 307, a redirect, which is not followed"):
            kind(http_client=http, auth=CLIENT).call(READ, {}, {})
        assert [request.url.host for request in server.requests] == ["auth.test"]


class TestAddresses:
    @pytest.mark.parametrize("url", ["https://auth.test/t", "http://localhost:9/t", "http://127.0.0.1/t"])
    def test_secrets_go_by_https_or_stay_here(self, connect: Connect, server: TokenServer, url: str) -> None:
        assert str(asked(connect, server, replace(CLIENT, token_url=url)).url) == url

    @pytest.mark.parametrize(
        "url", ["http://auth.test/t", "ftp://auth.test/t", "auth.test/t", "http://127.0.0.1.evil.test/t"]
    )
    def test_and_nowhere_else(self, connect: Connect, server: TokenServer, url: str) -> None:
        with pytest.raises(ConfigurationError, match="secrets go by https") as raised:
            connect(server, api=TOKEN_API, auth=replace(CLIENT, token_url=url))
        assert CLIENT.client_secret not in str(raised.value)

    @pytest.mark.parametrize("auth", [CLIENT, APIKeyGrant(api_key="k")])
    def test_an_api_that_does_not_say_where(self, connect: Connect, auth: Any) -> None:
        api = replace(TOKEN_API, schemes=(SchemeSpec(key="bearer", kind="bearer"),))
        with pytest.raises(ConfigurationError, match="does not say where"):
            connect(api=api, auth=auth)


class TestAnswers:
    @pytest.mark.parametrize(
        ("response", "error", "shown"),
        [
            (
                httpx.Response(401, json={"error": "invalid_client", "error_description": "Who\nis this?"}),
                "invalid_client",
                "no access token: auth.test answered 401: invalid_client: Who is this?",
            ),
            (
                httpx.Response(403, json={"title": "Forbidden", "detail": "Not from here."}),
                "",
                "no access token: auth.test answered 403: Forbidden: Not from here",
            ),
            (httpx.Response(404), "", "no access token: auth.test answered 404: Not Found"),
            (
                httpx.Response(200, text="<html>"),
                "",
                "no access token: auth.test did not answer with a JSON object",
            ),
            (httpx.Response(200, json={}), "", "no access token: auth.test answered without access_token"),
            (
                httpx.Response(200, json={"access_token": "x", "token_type": "mac"}),
                "",
                "no access token: auth.test answered with one that is not a bearer token",
            ),
            (
                httpx.Response(200, json={"access_token": "x\n"}),
                "",
                "no access token: auth.test answered with one that no header can carry",
            ),
        ],
    )
    def test_a_refusal_is_told_at_once(
        self, connect: Connect, server: TokenServer, response: httpx.Response, error: str, shown: str
    ) -> None:
        server.trouble = [response]
        with pytest.raises(TokenError) as raised:
            read(connect(server, api=TOKEN_API, auth=CLIENT))
        assert (raised.value.error, str(raised.value)) == (error, shown)
        assert len(server.requests) == 1

    def test_a_server_that_repeats_a_secret_is_not_repeated(
        self, connect: Connect, server: TokenServer
    ) -> None:
        said = f"{CLIENT.client_secret} is wrong"
        server.trouble = [httpx.Response(400, json={"error": "invalid_client", "error_description": said})]
        with pytest.raises(TokenError) as raised:
            read(connect(server, api=TOKEN_API, auth=CLIENT))
        assert raised.value.description == "*** is wrong"

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_trouble_that_passes_is_a_failed_attempt(
        self, connect: Connect, server: TokenServer, status: int
    ) -> None:
        server.trouble = [httpx.Response(status)]
        caller = connect(server, api=TOKEN_API, auth=CLIENT)
        caller.call(replace(READ, retry="never"))  # may go again, since nothing of it was sent
        assert len(caller.time.slept) == 1
        assert server.used == ["access-1"]
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        ("given", "expires_in_s"),
        [(60, 60.0), ("60", 60.0), (None, None), ("soon", None), (True, None), (-1, None), ([], None)],
    )
    def test_lifetimes_as_servers_write_them(
        self, connect: Connect, server: TokenServer, given: Any, expires_in_s: float | None
    ) -> None:
        server.valid.add("x")
        server.trouble = [httpx.Response(200, json={"access_token": "x", "expires_in": given})]
        tokens: list[Token] = []
        read(connect(server, api=TOKEN_API, auth=RefreshToken(refresh_token="r", on_token=tokens.append)))
        assert [token.expires_in_s for token in tokens] == [expires_in_s]
