"""What clients log and tell those who listen, and what that may not do to a call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, get_args

import dhatu_client
import httpx
import pytest
from dhatu_client import SyncDhatuAPI
from dhatu_client._engine import Engine
from dhatu_client._watch import events
from dhatu_client._watch.log_lines import line
from dhatu_client._watch.logger import LOGGER
from dhatu_client._watch.watch import unwatched
from dhatu_client.testing import FakeAPI, fake_api
from sdk.support import Caller, Server, operation

STATS = {"documents": 1, "characters": 2, "languages": []}
Connect = Callable[..., Caller]


@pytest.fixture(autouse=True)
def logger_as_found() -> Iterator[None]:
    handlers, level = list(LOGGER.handlers), LOGGER.level
    yield
    LOGGER.handlers[:] = handlers
    LOGGER.setLevel(level)


def without_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program that has set up no logging: pytest gives every logger a handler before each test."""
    monkeypatch.setattr(LOGGER, "propagate", False)
    monkeypatch.setattr(LOGGER, "handlers", [logging.NullHandler()])


@pytest.fixture
def api() -> Iterator[FakeAPI]:
    with fake_api() as api:
        yield api


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


@pytest.mark.parametrize("event", get_args(events.Event), ids=lambda kind: kind.__name__)
def test_every_event_has_a_line(event: type[Any]) -> None:
    values: dict[str, Any] = {
        "call": 7,
        "operation": "corpus.search",
        "attempt": 2,
        "attempts": 2,
        "method": "GET",
        "url": "https://api.test/x",
        "duration_s": 0.0123,
        "delay_s": 1.5,
        "after_s": 0.2,
        "for_s": 30.0,
        "status": 503,
        "failure": "",
        "request_id": "r1",
        "error": "",
        "endpoint": "https://api.test",
        "reason": "5 failures in a row",
        "breaker": "corpus.search at https://api.test",
        "state": "half_open",
    }
    text = line(event(**{name: values[name] for name in event.__slots__}))
    expected = {
        events.CallStarted: "corpus.search #7: called",
        events.AttemptStarted: "corpus.search #7: attempt 2: GET https://api.test/x",
        events.AttemptFinished: "corpus.search #7: attempt 2: 503 after 12.3 ms [request id r1]",
        events.RetryScheduled: "corpus.search #7: attempt 2 follows in 1500 ms",
        events.Paced: "corpus.search #7: waits 1500 ms for the rate limit",
        events.Hedged: "corpus.search #7: attempt 2 is sent beside a slow one after 200 ms",
        events.CallFinished: "corpus.search #7: done after 12.3 ms and 2 attempts",
        events.EndpointEjected: "https://api.test is left out for 30 s: 5 failures in a row",
        events.EndpointRestored: "https://api.test is called again",
        events.BreakerChanged: "the breaker of corpus.search at https://api.test is half open",
    }
    assert text == expected[event]


def test_the_variable_shows_every_step_on_standard_error(
    api: FakeAPI, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_handlers(monkeypatch)
    monkeypatch.setenv("DHATU_LOG", "DEBUG")
    api.corpus.stats.refuses(503, headers={"X-Request-Id": "r1"}).returns(STATS)
    with SyncDhatuAPI(api_key="k3y", base_url="https://user:pa55@api.test") as client:
        client.corpus.stats(extra_query={"secret": "s3cret"}, extra_headers={"x-secret": "s3cret"})
    lines = [
        text.partition("dhatu_client: corpus.stats #")[2].partition(": ")[2]
        for text in capsys.readouterr().err.splitlines()
    ]
    assert [text.partition(" after ")[0].partition(" in ")[0] for text in lines] == [
        "called",
        "attempt 1: GET https://api.test/api/v1/corpus/stats",
        "attempt 1: 503",
        "attempt 2 follows",
        "attempt 2: GET https://api.test/api/v1/corpus/stats",
        "attempt 2: 200",
        "done",
    ]
    assert lines[2].endswith("[request id r1]")
    assert not any(secret in "".join(lines) for secret in ("k3y", "pa55", "s3cret"))


def test_a_second_client_does_not_double_the_lines(
    monkeypatch: pytest.MonkeyPatch, api: FakeAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    without_handlers(monkeypatch)
    monkeypatch.setenv("DHATU_LOG", "info")
    api.corpus.stats.returns(STATS)
    for _ in range(2):
        with SyncDhatuAPI() as client:
            client.corpus.stats()
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_handlers_of_the_program_are_used_where_it_has_some(
    monkeypatch: pytest.MonkeyPatch, api: FakeAPI, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DHATU_LOG", "info")
    api.corpus.stats.returns(STATS)
    handlers = list(LOGGER.handlers)
    with SyncDhatuAPI() as client:
        client.corpus.stats()
    assert LOGGER.handlers == handlers
    assert [text.partition(" #")[0] for text in messages(caplog)] == ["INFO corpus.stats"]


def test_a_level_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHATU_LOG", "loud")
    with pytest.raises(
        dhatu_client.ConfigurationError, match=r"DHATU_LOG must be one of debug, info, .* 'loud'"
    ):
        SyncDhatuAPI()


def test_calls_are_not_watched_where_nobody_would_see_it() -> None:
    with SyncDhatuAPI() as client:
        assert vars(client)["_engine"].policies.watch is unwatched
    LOGGER.setLevel(logging.INFO)
    with SyncDhatuAPI() as client:
        assert vars(client)["_engine"].policies.watch is not unwatched
    with SyncDhatuAPI(on_event=lambda event: None) as client:
        assert vars(client)["_engine"].policies.watch is not unwatched


def test_an_open_breaker_is_logged_even_where_calls_are_not_watched(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(httpx.Response(500))
    caller = connect(server, max_retries=0)
    for _ in range(10):
        with pytest.raises(dhatu_client.ServerError):
            caller.call(operation())
    assert isinstance(vars(caller.client)["_engine"], Engine)
    assert next(text for text in messages(caplog) if "breaker" in text).startswith("WARNING the breaker of ")


def test_listeners_hear_of_a_call_from_its_beginning_to_its_end(connect: Connect) -> None:
    first: list[Any] = []
    second: list[Any] = []
    server = Server(httpx.Response(503), httpx.Response(200, json={}))
    connect(server, on_event=[first.append, second.append]).call(operation())
    assert [type(event).__name__ for event in first] == [
        "CallStarted",
        "AttemptStarted",
        "AttemptFinished",
        "RetryScheduled",
        "AttemptStarted",
        "AttemptFinished",
        "CallFinished",
    ]
    assert second == first
    assert {event.call for event in first} == {first[0].call}


def test_a_listener_that_fails_is_logged_and_breaks_nothing(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Any] = []

    def broken(event: Any) -> None:
        raise ZeroDivisionError("mine")

    answer = connect(Server(httpx.Response(200, json=[1])), on_event=[broken, heard.append]).call(operation())
    assert answer == [1]
    assert len(heard) == 4
    assert messages(caplog)[0] == "ERROR a listener failed at CallStarted; the call goes on"
    assert caplog.records[0].exc_info is not None


def test_a_listener_that_fails_is_seen_even_without_logging(
    connect: Connect, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_handlers(monkeypatch)

    def broken(event: Any) -> None:
        raise ZeroDivisionError("mine")

    connect(Server(httpx.Response(200, json=[1])), on_event=broken).call(operation())
    error = capsys.readouterr().err
    assert "a listener failed at CallStarted; the call goes on" in error
    assert "ZeroDivisionError: mine" in error
