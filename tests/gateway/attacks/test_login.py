"""Attacks on a login at a provider (RFC 9700): on the browser, the page, the codes, and by the provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from dhatu_gateway.auth.login.party import challenge_of
from gateway.auth.forgery import segment
from gateway.auth.login_browser import ORIGIN, PAGE, PAGE_QUERY, VERIFIER, Browser, signing_in
from gateway.auth.login_provider import CLIENT_SECRET, Provider, query_of

BEGIN = "/api/v1/auth/login/corp"
CALLBACK = "/api/v1/auth/callback/corp"
FOREIGN = "This login was not begun in this browser"
SOON = 9_999_999_999


def another(browser: Browser) -> Browser:
    """A browser of somebody else, at the same gateway."""
    return Browser(browser.client, browser.provider)


def is_refused(reply: Any, detail: str) -> bool:
    """Refused with a problem that repeats nothing, and without tokens."""
    return (
        (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
        and detail in reply.json["detail"]
        and "location" not in reply.headers
    )


async def test_login_csrf(tmp_path: Path) -> None:
    """An attacker begins a login, and lets the victim's browser finish it: it would be signed in as them."""
    async with signing_in(tmp_path) as attacker:
        victim = another(attacker)
        location = attacker.provider.authorize(await attacker.begin())
        callback = location.removeprefix(ORIGIN)
        assert is_refused(await victim.get(callback), FOREIGN)
        # Also where the victim is signing in just now, and even if that cookie had the attacker's name.
        await victim.begin()
        assert is_refused(await victim.get(callback), FOREIGN)
        victim.cookies = {next(iter(attacker.cookies)): next(iter(victim.cookies.values()))}
        assert is_refused(await victim.get(callback), FOREIGN)
        assert attacker.provider.token_requests == []


async def test_replay_of_a_callback(tmp_path: Path) -> None:
    """Whoever finds the address in a history, with the cookie, does not sign in once more."""
    async with signing_in(tmp_path) as browser:
        location = browser.provider.authorize(await browser.begin())
        kept = dict(browser.cookies)
        assert (await browser.get(location.removeprefix(ORIGIN))).status == 303
        assert is_refused(await browser.get(location.removeprefix(ORIGIN)), FOREIGN)
        browser.cookies = kept
        assert is_refused(await browser.get(location.removeprefix(ORIGIN)), "finished before")
        assert len(browser.provider.token_requests) == 1


@pytest.mark.parametrize("checks_pkce", [True, False])
async def test_code_injection(tmp_path: Path, checks_pkce: bool) -> None:
    """An attacker puts a stolen code into a login of their own; a provider without PKCE meets the nonce."""
    async with signing_in(tmp_path) as victim:
        victim.provider.checks_pkce = checks_pkce
        stolen = query_of(victim.provider.authorize(await victim.begin()))["code"]
        attacker = another(victim)
        victim.provider.callback = {"code": stolen}
        reply = await attacker.come_back(await attacker.begin())
        assert query_of(reply.headers["location"]) == {"login_error": "login_failed"}
        assert len(victim.provider.token_requests) == 1


async def test_mix_up_by_the_issuer(tmp_path: Path) -> None:
    """Another provider answers, or nobody says who does, and would be given the code: it is sent nowhere."""
    async with signing_in(tmp_path) as browser:
        for iss in ("https://evil.example.com", "", browser.provider.issuer.upper()):
            browser.provider.callback = {"iss": iss}
            assert await browser.sign_in() == {"login_error": "login_failed"}
        assert browser.provider.token_requests == []


async def test_mix_up_by_the_callback(tmp_path: Path) -> None:
    """An answer of one provider at the callback of another."""
    async with signing_in(tmp_path) as browser:
        location = browser.provider.authorize(await browser.begin()).removeprefix(ORIGIN)
        reply = await browser.get(location.replace("/callback/corp", "/callback/other"))
        assert is_refused(reply, FOREIGN)
        assert browser.provider.token_requests == []
        # And the login is not lost by it.
        assert (await browser.get(location)).status == 303


ELSEWHERE = [
    "https://evil.example.com/",
    "//evil.example.com/",
    "/",
    PAGE + "/",
    PAGE + "?next=https://evil.example.com",
    PAGE + "%23",
    PAGE.replace("https", "http"),
    PAGE.replace("app.", "APP."),
    PAGE.replace("https://", "https://evil.example.com%40"),
    PAGE + ".evil.example.com",
    PAGE + "%0d%0aSet-Cookie:%20a=b",
    "javascript:alert(1)",
    "",
]


async def test_open_redirect(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        for address in ELSEWHERE:
            query = f"return_to={address}&code_challenge={challenge_of(VERIFIER)}"
            reply = await browser.get(f"{BEGIN}?{query}")
            assert (reply.status, "location" in reply.headers, browser.cookies) == (400, False, {}), address


async def test_a_page_without_a_secret_of_its_own(tmp_path: Path) -> None:
    """Downgrade: a code that nobody's secret guards would be worth something in a log."""
    async with signing_in(tmp_path) as browser:
        for query in (
            f"return_to={PAGE}",
            f"code_challenge={challenge_of(VERIFIER)}",
            f"return_to={PAGE}&code_challenge=",
            f"return_to={PAGE}&code_challenge=short",
            PAGE_QUERY + f"&code_challenge={challenge_of('another')}",
            PAGE_QUERY + "&return_to=https://evil.example.com",
        ):
            reply = await browser.get(f"{BEGIN}?{query}")
            assert (reply.status, browser.cookies) == (400, {}), query


async def test_a_stolen_login_code(tmp_path: Path) -> None:
    """From a log or a history; without the page's secret it is nothing, and trying does not use it up."""
    async with signing_in(tmp_path) as browser:
        code = (await browser.sign_in())["login_code"]
        for verifier in ("a" * 43, challenge_of(VERIFIER), VERIFIER.upper()):
            reply = await browser.trade(code, verifier)
            assert (reply.status, code.encode() in reply.body) == (401, False)
        assert (await browser.trade(code)).status == 200


async def test_a_login_code_that_comes_twice_ends_what_it_yielded(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        code = (await browser.sign_in())["login_code"]
        pair = (await browser.trade(code)).json
        assert (await browser.trade(code)).status == 401
        reply = await browser.post("/api/v1/auth/refresh", refresh_token=pair["refresh_token"])
        assert reply.status == 401
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        assert (await browser.client.request("GET", "/api/v1/status", headers=headers)).status == 401


async def test_login_code_injection(tmp_path: Path) -> None:
    """An attacker sends the victim to the page with the attacker's code: the page's secret does not fit."""
    async with signing_in(tmp_path) as attacker:
        mine = "the attacker's own secret, with 43 letters."
        query = f"return_to={PAGE}&code_challenge={challenge_of(mine)}"
        code = (await attacker.sign_in(query))["login_code"]
        assert (await attacker.trade(code, VERIFIER)).status == 401


async def test_cookies_and_codes_are_not_taken_for_one_another(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        asked = await browser.begin()
        [(name, sealed)] = browser.cookies.items()
        code = (await browser.sign_in())["login_code"]
        assert (await browser.trade(sealed)).status == 401
        location = browser.provider.authorize(asked).removeprefix(ORIGIN)
        flipped = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")
        for forged in (code, flipped, sealed[:40], "gAAAAA", "", "é"):
            browser.cookies = {name: forged}
            assert is_refused(await browser.get(location), FOREIGN), forged


async def test_parameters_that_can_be_read_in_two_ways(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        asked = await browser.begin()
        state = asked["state"]
        for query in (
            f"state={state}&state={state}&code=a",
            f"state={state}&code=a&code=b",
            f"state={state}&code=a&iss=x&iss=y",
            f"state={state}&code=a&error=x&error=y",
            f"state={state}&code=%ff",
            f"state={state}%00&code=a",
            "code=a",
            "state=&code=a",
            "state=../../x&code=a",
            "&".join(["a=b"] * 60) + f"&state={state}&code=a",
        ):
            assert is_refused(await browser.get(f"{CALLBACK}?{query}"), "begin again"), query
        # None of them has cost the login.
        assert (await browser.come_back(asked)).status == 303


def old(provider: Provider) -> None:
    provider.claims = {"iat": int(time.time()) - 3_600}


LIES: dict[str, Callable[[Provider], object]] = {
    "another issuer": lambda p: p.claims.update(iss="https://evil.example.com"),
    "another client": lambda p: p.claims.update(aud="another"),
    "several clients and no word whose it is": lambda p: p.claims.update(aud=["dhatu", "another"]),
    "asked for by another": lambda p: p.claims.update(azp="another"),
    "no nonce": lambda p: p.claims.update(nonce=None),
    "the nonce of another login": lambda p: p.claims.update(nonce="a" * 43),
    "a nonce that is no text": lambda p: p.claims.update(nonce=["a"]),
    "expired": lambda p: p.claims.update(exp=int(time.time()) - 60),
    "for ever": lambda p: p.claims.update(exp=None),
    "of the future": lambda p: p.claims.update(iat=SOON, exp=SOON),
    "not yet": lambda p: p.claims.update(nbf=SOON),
    "from before the login": old,
    "without a time": lambda p: p.claims.update(iat=None),
    "of nobody": lambda p: p.claims.update(sub=None),
    "a subject that forges a header": lambda p: p.claims.update(sub="a\r\nX-Dhatu-Principal: user:root"),
    "another access token": lambda p: p.answer.update(access_token="swapped"),
    "a hash of nothing": lambda p: p.claims.update(at_hash=""),
    "a key of its own": lambda p: setattr(p, "signs_with", ec.generate_private_key(ec.SECP256R1())),
    "a kind of its own": lambda p: p.header.update(typ="logout+jwt"),
    "an access token's kind": lambda p: p.header.update(typ="at+jwt"),
    "a key that it points to": lambda p: p.header.update(jku="https://evil.example.com/keys"),
    "no ID token": lambda p: p.answer.update(id_token=None),
    "an ID token that is no text": lambda p: p.answer.update(id_token=["a"]),
    "unsigned": lambda p: p.answer.update(id_token=unsigned(p)),
    "signed with the client's secret": lambda p: p.answer.update(id_token=shared(p)),
}


def claims_of(provider: Provider) -> dict[str, Any]:
    return {"iss": provider.issuer, "aud": "dhatu", "sub": "1", "exp": SOON, "iat": int(time.time())}


def unsigned(provider: Provider) -> str:
    return f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(claims_of(provider))}."


def shared(provider: Provider) -> str:
    return jwt.encode(claims_of(provider), CLIENT_SECRET * 2, "HS256")


async def test_forged_id_tokens(tmp_path: Path) -> None:
    async with signing_in(tmp_path) as browser:
        provider = browser.provider
        for name, lie in LIES.items():
            provider.claims, provider.header, provider.answer = {}, {}, {}
            usual, provider.signs_with = provider.signs_with, provider.signs_with
            lie(provider)
            assert await browser.sign_in() == {"login_error": "login_failed"}, name
            reply = await browser.come_back(await browser.begin(""))
            assert (reply.status, "access_token" in reply.json) == (401, False), name
            provider.signs_with = usual
        provider.claims, provider.header, provider.answer = {}, {}, {}
        assert "login_code" in await browser.sign_in()


async def test_a_token_for_several_that_says_it_is_ours(tmp_path: Path) -> None:
    """The lies above are refused for what they are, and not for having several audiences."""
    async with signing_in(tmp_path) as browser:
        browser.provider.claims = {"aud": ["dhatu", "another"], "azp": "dhatu"}
        assert "login_code" in await browser.sign_in()


async def test_tokens_stand_in_no_address(tmp_path: Path) -> None:
    """Neither the gateway's nor the provider's, on the whole way of a browser."""
    async with signing_in(tmp_path) as browser:
        asked = await browser.begin()
        assert VERIFIER not in str(asked)
        reply = await browser.come_back(asked)
        location = reply.headers["location"]
        assert query_of(location).keys() == {"login_code"}
        assert "ey" not in query_of(location)["login_code"][:2]
        pair = (await browser.trade(query_of(location)["login_code"])).json
        for value in (pair["access_token"], pair["refresh_token"], browser.provider.subject, "own"):
            assert value not in location
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.body == b""
