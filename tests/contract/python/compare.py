"""Holds a record against what a case expects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from .record import Outcome, Record
from .server import Arrival, content_of

Expected = Mapping[str, Any]

_CLOSE_S = 1e-9


def check(record: Record, expected: Expected) -> None:
    """Raises `AssertionError` at the first difference."""
    if "outcomes" in expected:
        _check_outcomes(record.outcomes, expected["outcomes"])
    if "outcome_counts" in expected:
        assert Counter(map(_name, record.outcomes)) == expected["outcome_counts"]
    if "requests" in expected:
        _check_requests(record.arrivals, expected["requests"])
    if "request_count" in expected:
        assert len(record.arrivals) == expected["request_count"]
    if "max_request_count" in expected:
        assert len(record.arrivals) <= expected["max_request_count"]
    if "sleeps" in expected:
        assert record.sleeps == pytest.approx(expected["sleeps"], abs=_CLOSE_S)
    if "events" in expected:
        _check_events(record.events, expected["events"])
    told = {event["type"] for event in record.events}
    assert told.isdisjoint(expected.get("absent_events", []))
    if "shares" in expected:
        _check_shares(record.arrivals, expected["shares"])
    _check_warnings(record.warnings, expected.get("warnings", []))


def _check_outcomes(found: list[Outcome], expected: list[Outcome]) -> None:
    assert len(found) == len(expected), found
    for number, (outcome, wanted) in enumerate(zip(found, expected, strict=True), 1):
        where = f"outcome {number}: {outcome}"
        assert outcome.keys() == wanted.keys(), where
        for key in wanted.keys() - {"error", "answer"}:
            assert outcome[key] == wanted[key], where
        if "answer" in wanted:
            headers = wanted["answer"].get("headers", {})
            assert headers.items() <= outcome["answer"]["headers"].items(), where
            assert (wanted["answer"] | {"headers": {}}).items() <= (
                outcome["answer"] | {"headers": {}}
            ).items()
        if "error" in wanted:
            _check_error(outcome["error"], wanted["error"], where)


def _check_error(found: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> None:
    said = f"{found['message']}\n{found['shown']}"
    for key, value in wanted.items():
        match key:
            case "message_contains":
                assert [text for text in value if text not in found["message"]] == [], where
            case "option":
                assert value in found["message"], where
            case "message_excludes":
                assert [text for text in value if text in said] == [], where
            case "retry_after_s" if value is not None:
                assert found[key] == pytest.approx(value, abs=_CLOSE_S), where
            case "problem":
                assert value.items() <= found[key].items(), where
            case _:
                assert found.get(key) == value, f"{key} of {where}"


def _check_requests(found: list[Arrival], expected: list[Mapping[str, Any]]) -> None:
    shown = [f"{arrival.at_s:g} s: {arrival.request.method} {arrival.request.url}" for arrival in found]
    assert len(found) == len(expected), shown
    for number, (arrival, wanted) in enumerate(zip(found, expected, strict=True), 1):
        where = f"request {number}"
        request = arrival.request
        if "at_s" in wanted:
            assert arrival.at_s == pytest.approx(wanted["at_s"], abs=_CLOSE_S), where
        if "method" in wanted:
            assert request.method == wanted["method"], where
        if "url" in wanted:
            assert str(request.url) == wanted["url"], where
        headers = {name: request.headers.get(name) for name in wanted.get("headers", {})}
        assert headers == wanted.get("headers", {}), where
        present = [name for name in wanted.get("absent_headers", []) if name in request.headers]
        assert present == [], where
        _check_body(arrival.content, wanted, where)


def _check_body(found: bytes, wanted: Mapping[str, Any], where: str) -> None:
    if "json" in wanted:
        assert json.loads(found) == wanted["json"], where
    elif "text" in wanted or "base64" in wanted:
        assert found == content_of(wanted), where
    elif wanted.get("empty"):
        assert found == b"", where


def _check_events(found: list[dict[str, Any]], expected: list[Mapping[str, Any]]) -> None:
    """Those of the types that are expected: no more, no fewer, in this order."""
    types = {event["type"] for event in expected}
    told = [event for event in found if event["type"] in types]
    assert len(told) == len(expected), told
    for event, wanted in zip(told, expected, strict=True):
        assert {key: event.get(key) for key in wanted} == pytest.approx(wanted, abs=_CLOSE_S)


def _check_shares(found: list[Arrival], expected: Mapping[str, int]) -> None:
    """How many requests went to each base URL."""
    urls = [str(arrival.request.url) for arrival in found]
    assert {base: sum(url.startswith(base) for url in urls) for base in expected} == expected


def _check_warnings(found: list[str], expected: list[str]) -> None:
    assert len(found) == len(expected), found
    for text, wanted in zip(found, expected, strict=True):
        assert wanted in text


def _name(outcome: Outcome) -> str:
    """`ok`, `cancelled`, or the class of the error."""
    if "error" in outcome:
        name: str = outcome["error"]["class"]
        return name
    return "cancelled" if outcome.get("cancelled") else "ok"
