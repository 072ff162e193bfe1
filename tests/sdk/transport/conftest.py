"""Every transport runs the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sdk.support import AsyncCaller, Caller, SyncCaller
from sdk.transport.peers import Peer, Website

_CALLERS: dict[str, Callable[..., Caller]] = {
    "httpx": AsyncCaller,
    "httpx-sync": SyncCaller,
    "aiohttp": partial(AsyncCaller, http_client="aiohttp"),
}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=["httpx", "aiohttp"])
def library(request: pytest.FixtureRequest) -> str:
    """What the async client sends with."""
    if request.param == "aiohttp":
        pytest.importorskip("aiohttp", reason="the extra aiohttp is not installed")
    return str(request.param)


@pytest.fixture(params=list(_CALLERS))
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Caller]]:
    """Makes callers over one transport, and closes them in the end."""
    if request.param == "aiohttp":
        pytest.importorskip("aiohttp", reason="the extra aiohttp is not installed")
    callers: list[Caller] = []

    def make(**settings: Any) -> Caller:
        callers.append(_CALLERS[request.param](**settings))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(reply: bytes, **settings: bool) -> Peer:
        peers.append(Peer(reply, **settings))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


@pytest.fixture
def publish() -> Iterator[Callable[..., Website]]:
    """Starts websites, and shuts them down in the end."""
    sites: list[Website] = []

    def start(**settings: Any) -> Website:
        sites.append(Website(**settings))
        return sites[-1]

    yield start
    for site in sites:
        site.close()
