"""Signing in at the real gateway: a session that renews itself, however it is disturbed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar

import pytest
from dhatu_client import (
    APIKeyGrant,
    DhatuAPI,
    PasswordGrant,
    PermissionDeniedError,
    RefreshToken,
    SyncDhatuAPI,
    Token,
    TokenError,
)
from dhatu_client._settings import Surroundings
from dhatu_reference.stack import Stack

USER, PASSWORD = "patanjali", "mahābhāṣya-8-4-68"
LIFETIME_S = 3600.0


@pytest.fixture(scope="module")
def user(stack: Stack) -> str:
    stack.create_user(USER, PASSWORD)
    return USER


class Clock:
    """The real one, ahead by as much as the test says."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now_s(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client_class(clock: Clock) -> type[SyncDhatuAPI]:
    class Ahead(SyncDhatuAPI):
        _surroundings: ClassVar[Surroundings] = replace(Surroundings(), now_s=clock.now_s)

    return Ahead


def test_a_name_and_a_password_are_enough(base_url: str, user: str) -> None:
    with SyncDhatuAPI(base_url=base_url, username=user, password=PASSWORD) as client:
        assert client.corpus.search("dharma").total >= 0


def test_they_may_come_from_the_environment(
    base_url: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DHATU_USERNAME", user)
    monkeypatch.setenv("DHATU_PASSWORD", PASSWORD)
    with SyncDhatuAPI(base_url=base_url) as client:
        assert client.corpus.search("dharma").total >= 0


def test_a_wrong_password_is_told_and_not_shown(base_url: str, user: str) -> None:
    with (
        SyncDhatuAPI(base_url=base_url, username=user, password="not-" + PASSWORD) as client,
        pytest.raises(TokenError) as raised,
    ):
        client.corpus.search("dharma")
    assert raised.value.status == 401
    assert PASSWORD not in str(raised.value)


def test_a_session_goes_on_by_its_refresh_tokens(
    base_url: str, user: str, clock: Clock, client_class: type[SyncDhatuAPI]
) -> None:
    tokens: list[Token] = []
    auth = PasswordGrant(username=user, password=PASSWORD, on_token=tokens.append)
    with client_class(base_url=base_url, auth=auth) as client:
        for _ in range(3):
            client.corpus.search("dharma")
            clock.ahead_s += LIFETIME_S
    assert [token.expires_in_s for token in tokens] == [LIFETIME_S] * 3
    assert len({token.refresh_token for token in tokens}) == 3, "the gateway rotates them"


def test_a_revoked_token_is_replaced_within_the_call(base_url: str, user: str) -> None:
    tokens: list[Token] = []
    auth = PasswordGrant(username=user, password=PASSWORD, on_token=tokens.append)
    with SyncDhatuAPI(base_url=base_url, auth=auth) as client:
        client.corpus.search("dharma")
        client.auth.revoke(tokens[0].value)
        client.corpus.search("dharma")
    assert len(tokens) == 2


def test_a_session_that_was_ended_begins_anew(
    base_url: str, user: str, clock: Clock, client_class: type[SyncDhatuAPI]
) -> None:
    tokens: list[Token] = []
    auth = PasswordGrant(username=user, password=PASSWORD, on_token=tokens.append)
    with client_class(base_url=base_url, auth=auth) as client:
        client.corpus.search("dharma")
        client.auth.revoke(tokens[0].refresh_token)
        clock.ahead_s += LIFETIME_S
        client.corpus.search("dharma")
    assert len(tokens) == 2


def test_a_key_is_traded_for_less_than_it_allows(base_url: str, api_key: str) -> None:
    auth = APIKeyGrant(api_key=api_key, scopes=("corpus:read",))
    with SyncDhatuAPI(base_url=base_url, auth=auth) as client:
        assert client.corpus.search("dharma").total >= 0
        with pytest.raises(PermissionDeniedError):
            client.compress("dharma")


def test_a_stored_refresh_token_carries_on_and_each_counts_once(base_url: str, api_key: str) -> None:
    tokens: list[Token] = []
    with SyncDhatuAPI(base_url=base_url) as client:
        pair = client.auth.token(grant_type="api_key", api_key=api_key)
    stored = RefreshToken(refresh_token=pair.refresh_token, on_token=tokens.append)
    with SyncDhatuAPI(base_url=base_url, auth=stored) as client:
        client.corpus.search("dharma")
    assert tokens[0].refresh_token != pair.refresh_token
    with SyncDhatuAPI(base_url=base_url, auth=stored) as client, pytest.raises(TokenError):
        client.corpus.search("dharma")


def test_twenty_threads_renew_one_session_together(
    base_url: str, user: str, clock: Clock, client_class: type[SyncDhatuAPI]
) -> None:
    tokens: list[Token] = []
    auth = PasswordGrant(username=user, password=PASSWORD, on_token=tokens.append)
    with client_class(base_url=base_url, auth=auth) as client, ThreadPoolExecutor(20) as pool:
        analyze: Callable[[str], object] = client.analyze
        for _ in range(2):
            list(pool.map(analyze, ["dharma"] * 20))
            clock.ahead_s += LIFETIME_S
    assert len(tokens) == 2


async def test_twenty_tasks_share_one_sign_in(base_url: str, user: str) -> None:
    tokens: list[Token] = []
    auth = PasswordGrant(username=user, password=PASSWORD, on_token=tokens.append)
    async with DhatuAPI(base_url=base_url, auth=auth) as client:
        await asyncio.gather(*(client.analyze("dharma") for _ in range(20)))
    assert len(tokens) == 1
