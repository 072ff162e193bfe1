"""Signing in at a provider, as a browser and its page see it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.auth.login.attempts import begin, cookie_of
from dhatu_gateway.auth.login.party import challenge_of
from dhatu_gateway.auth.records import AuditEntry
from dhatu_gateway.auth.store.sqlite import SqliteStore
from gateway.auth.login_browser import PAGE, SECRET, VERIFIER, Browser, gateway, signing_in
from gateway.auth.login_provider import CLIENT_ID, Provider, running_provider

SUBJECT = "oidc:corp:248289761001"
DAY_S = 86_400.0


def claims_of(pair: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(pair["access_token"], SECRET, ["HS256"], audience="dhatu-api")


async def renew(browser: Browser, pair: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    reply = await browser.post("/api/v1/auth/refresh", refresh_token=pair["refresh_token"])
    return reply.status, reply.json


async def test_a_page_ends_a_login_with_tokens_of_the_gateways_own(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        asked = await browser.begin()
        assert asked.keys() == {
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method",
        }
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        reply = await browser.come_back(asked)
        assert (reply.status, reply.headers["cache-control"], browser.cookies) == (303, "no-store", {})
        [request] = browser.provider.token_requests
        assert challenge_of(request["code_verifier"]) == asked["code_challenge"]
        assert browser.provider.authorization.startswith("Basic ")

        code = reply.headers["location"].removeprefix(f"{PAGE}?login_code=")
        traded = await browser.trade(code)
        assert (traded.status, traded.headers["cache-control"]) == (200, "no-store")
        claims = claims_of(traded.json)
        assert (claims["sub"], claims["roles"]) == (SUBJECT, ["analyst", "reader"])
        assert traded.json["scope"] == "analysis:use compression:use corpus:read dashboard:read"


async def test_without_a_page_the_callback_answers_the_tokens(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        pair = await browser.tokens()
        assert claims_of(pair)["sub"] == SUBJECT
        status = await browser.client.request(
            "POST", "/api/v1/api-keys", b"{}", {"Authorization": f"Bearer {pair['access_token']}"}
        )
        # Known, and without the scope that this asks for.
        assert status.status == 403


async def test_a_login_may_ask_for_fewer_scopes(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        code = (await browser.sign_in())["login_code"]
        traded = await browser.trade(code, scopes=["corpus:read"])
        assert traded.json["scope"] == "corpus:read"
        assert (await renew(browser, traded.json))[1]["scope"] == "corpus:read"


async def test_renewing_gives_what_the_provider_said_last(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        first = await browser.tokens()
        browser.provider.groups = ["guests"]
        assert claims_of(await browser.tokens())["roles"] == ["reader"]
        status, renewed = await renew(browser, first)
        assert (status, claims_of(renewed)["roles"]) == (200, ["reader"])
        assert renewed["scope"] == "corpus:read dashboard:read"


async def test_a_session_ends_and_the_provider_is_asked_again(tmp_path: Path) -> None:
    async with signing_in(tmp_path, session_s=0) as browser:
        reply = await browser.come_back(await browser.begin(""))
        assert reply.status == 403  # a session of no time is over when it begins
    async with signing_in(tmp_path, session_s=DAY_S) as browser:
        pair = await browser.tokens()
        store = SqliteStore(tmp_path / "keys.sqlite3")
        kept = await store.find_external_user(SUBJECT)
        await store.close()
        assert kept is not None
        assert (kept.roles, kept.scopes) == (frozenset({"analyst", "reader"}), frozenset())
        assert kept.valid_until_s - kept.signed_in_at_s == DAY_S
        assert (await renew(browser, pair))[0] == 200


async def test_whoever_came_by_a_provider_that_is_gone_has_to_leave(tmp_path: Path) -> None:
    async with running_provider() as provider:
        async with gateway(tmp_path, provider) as browser:
            first, second = await browser.tokens(), await browser.tokens()
            assert (await renew(browser, first))[0] == 200
        async with gateway(tmp_path, provider, name="renamed") as browser:
            status, problem = await renew(browser, second)
            assert (status, problem["detail"][:28]) == (401, "The refresh token is unknown")


async def test_nobody_who_was_revoked_renews_or_signs_in_again(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        pair, code = await browser.tokens(), (await browser.sign_in())["login_code"]
        now_s, store = time.time(), SqliteStore(tmp_path / "keys.sqlite3")
        entry = AuditEntry(at_s=now_s, actor="operator", act="user.revoke", target=SUBJECT)
        await store.revoke((SUBJECT,), now_s=now_s, until_s=now_s + DAY_S, entry=entry)
        await store.close()
        assert (await renew(browser, pair))[0] == 401
        assert (await browser.trade(code)).status == 401
        assert await browser.sign_in() == {"login_error": "access_denied"}
        reply = await browser.come_back(await browser.begin(""))
        assert (reply.status, reply.json["detail"]) == (403, "Access has been revoked by an operator.")


async def test_two_tabs_sign_in_at_once(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        one, two = await browser.begin(), await browser.begin()
        assert len(browser.cookies) == 2
        for asked in (one, two):
            assert (await browser.come_back(asked)).status == 303


async def test_what_the_provider_adds_to_its_answer_is_ignored(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        browser.provider.callback = {"session_state": "x", "scope": "openid", "hd": "example.com"}
        assert "login_code" in await browser.sign_in()


@pytest.mark.parametrize(
    ("error", "told", "status"),
    [("access_denied", "access_denied", 403), ("invalid_scope <script>", "login_failed", 401)],
)
async def test_a_page_is_told_that_the_provider_refused(
    tmp_path: Path, error: str, told: str, status: int
) -> None:
    async with signing_in(tmp_path) as browser:
        browser.provider.callback = {"error": error, "code": ""}
        assert await browser.sign_in() == {"login_error": told}
        reply = await browser.come_back(await browser.begin(""))
        assert (reply.status, b"script" in reply.body) == (status, False)
        assert browser.cookies == {}


async def test_a_provider_that_is_out_costs_the_login_and_nothing_else(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        browser.provider.token_status = 500
        assert await browser.sign_in() == {"login_error": "unavailable"}
        browser.provider.token_status = 200
        assert "login_code" in await browser.sign_in()
        # Its metadata names another issuer than the file does, so it is not believed.
        reply = await browser.get("/api/v1/auth/login/other")
        assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")


async def test_the_log_says_why_a_login_failed_and_holds_no_code(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with signing_in(tmp_path) as browser:
        browser.provider.callback = {"error": "invalid_scope", "code": ""}
        await browser.sign_in()
        browser.provider.callback = {"code": "of-another-login"}
        await browser.sign_in()
    told = [record.getMessage() for record in caplog.records if record.name == "dhatu.login"]
    assert told == [
        "login at corp failed: The provider did not sign you in. ('invalid_scope')",
        "login at corp failed: The provider does not take its own code; begin again. ('invalid_grant')",
    ]


async def test_a_provider_that_nobody_has_configured(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        for target in ("/api/v1/auth/login/nobody", "/api/v1/auth/callback/nobody?state=a&code=b"):
            reply = await browser.get(target)
            assert reply.status == 404


async def test_a_secret_goes_in_the_form_where_the_provider_wants_it_there(tmp_path: Path) -> None:
    async with (
        running_provider(
            Provider(metadata={"token_endpoint_auth_methods_supported": ["client_secret_post"]})
        ) as provider,
        gateway(tmp_path, provider) as browser,
    ):
        await browser.sign_in()
        assert provider.token_requests[0]["client_secret"] == "a secret between both"
        assert provider.authorization == ""


async def test_a_callback_that_browsers_would_not_reach_is_refused_at_boot(tmp_path: Path) -> None:
    async with running_provider() as provider:
        with pytest.raises(ProviderFileError, match="redirect_uri must end in /api/v1/auth/callback/corp"):
            async with gateway(tmp_path, provider, redirect_uri="http://127.0.0.1:8000/callback"):
                pass


def test_a_cookie_is_confined_to_this_host_where_there_is_tls() -> None:
    attempt = begin("corp", return_to=None, challenge=None)
    name = f"dhatu-login-{attempt.state[:8]}"
    rest = "Path=/; Max-Age=600; HttpOnly; SameSite=Lax"
    assert cookie_of(attempt, "v", secure=True).header == f"__Host-{name}=v; {rest}; Secure"
    assert cookie_of(attempt, "v", secure=False).header == f"{name}=v; {rest}"
    assert "Max-Age=0" in cookie_of(attempt, "", secure=True).header


def test_the_verifier_of_the_tests_is_one() -> None:
    assert (len(VERIFIER), CLIENT_ID) == (43, "dhatu")
