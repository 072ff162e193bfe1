"""What is repeated and what is not, after how long, and what the caller gets in the end."""

from __future__ import annotations

import asyncio

import pytest
from dhatu_gateway.core.upstream.errors import (
    CircuitOpen,
    ClientDisconnected,
    TooManyRetries,
    UpstreamAborted,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamProtocolError,
)
from dhatu_gateway.core.upstream.policy import Breaker, RetryBudget
from gateway.upstream.delivery.stage import CLOSED, OVERDUE, REFUSED, SLOW, Outcome, Stage, stage

QUICK = Breaker(min_calls=4, open_s=5.0, half_open_calls=1)


async def ended(found: Stage, **changes: object) -> int | str:
    """The status that the caller got, or the name of the error."""
    try:
        sink = await found.call(**changes)
    except Exception as error:
        return type(error).__name__
    assert sink.finished
    assert sink.content == b"%d" % sink.status
    return sink.status


@pytest.mark.parametrize("outcome", [502, 503, 504, REFUSED, CLOSED, SLOW])
async def test_what_may_be_better_next_time_is_tried_again(outcome: Outcome) -> None:
    found = stage(outcome, 200)
    assert await ended(found) == 200
    assert found.service.avoided == [0, 1], "the second time not where it failed"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (200, 200),
        (404, 404),
        (429, 429),
        (500, 500),
        (501, 501),
        (OVERDUE, "UpstreamTimeout"),
        (UpstreamProtocolError("garbled"), "UpstreamProtocolError"),
        (UpstreamOverloaded("full"), "UpstreamOverloaded"),
        (ClientDisconnected("gone"), "ClientDisconnected"),
        (ValueError("a bug"), "ValueError"),
    ],
)
async def test_anything_else_is_not(outcome: Outcome, expected: int | str) -> None:
    found = stage(outcome, 200)
    assert await ended(found) == expected
    assert len(found.service.seen) == 1


async def test_what_may_not_be_repeated_is_not() -> None:
    for outcome, expected in ((503, 503), (REFUSED, "UpstreamUnavailable"), (CLOSED, "UpstreamClosed")):
        found = stage(outcome, 200)
        assert await ended(found, repeatable=False) == expected
        assert len(found.service.seen) == 1


async def test_the_last_answer_is_the_one_that_counts() -> None:
    assert await ended(stage(503, 502, 200)) == 502
    assert await ended(stage(503, REFUSED, 200)) == "UpstreamUnavailable"
    assert await ended(stage(REFUSED, 503, 200)) == 503
    assert await ended(stage(503, 502, 200, attempts=3)) == 200


async def test_an_answer_that_broke_off_is_not_repeated() -> None:
    found = stage(200)

    async def breaks_off(request: object, sink: object) -> None:
        found.service.seen.append([])
        sink.start(200, [])  # type: ignore[attr-defined]  # a sink, as everywhere
        raise UpstreamAborted("broke off")

    found.service.forward = breaks_off  # type: ignore[method-assign]  # once, for this test
    assert await ended(found) == "UpstreamAborted"
    assert len(found.service.seen) == 1


async def test_waits_grow_and_are_spread_by_chance() -> None:
    found = stage(503, attempts=5)
    await ended(found)
    assert found.clock.slept == [0.025, 0.05, 0.1]
    assert len(found.service.seen) == 4, "and the budget of a lonely call is three"
    half = stage(503, chance=0.5)
    await ended(half)
    assert half.clock.slept == [0.0125]


async def test_a_service_that_asks_for_time_gets_it_up_to_a_second() -> None:
    for asked, slept in ((b"1", [1.0]), (b"0", [0.025]), (b"2", []), (b"Wed, 21 Oct 2026 07:28:00 GMT", [])):
        found = stage((503, [(b"retry-after", asked)]), 200)
        assert await ended(found) == (200 if slept else 503)
        assert found.clock.slept == slept


async def test_nothing_is_begun_that_the_deadline_forbids() -> None:
    found = stage(503, 200)
    assert await ended(found, deadline_s=found.clock.now_s + 0.02) == 503
    assert found.clock.slept == []


async def test_the_service_is_told_what_time_is_left() -> None:
    found = stage(503, 200, chance=0.0)
    found.service.takes_s = 2.0
    await ended(found)
    assert [dict(headers)[b"x-dhatu-timeout-ms"] for headers in found.service.seen] == [b"10000", b"8000"]


async def test_repeats_share_a_budget() -> None:
    found = stage(503, budget=RetryBudget(ratio=0.1, min_retries=2))
    for _ in range(60):
        assert await ended(found) == 503
    assert len(found.service.seen) == 60 + 6


async def test_a_caller_that_repeats_a_failure_uses_the_same_budget() -> None:
    found = stage(503, attempts=1, budget=RetryBudget(ratio=0.1, min_retries=0))
    for _ in range(30):
        await ended(found)
    repeats = [await ended(found, repeated=True) for _ in range(30)]
    assert repeats == [503] * 3 + ["TooManyRetries"] * 27
    assert len(found.service.seen) == 33


async def test_a_caller_may_repeat_what_did_not_fail_here() -> None:
    found = stage(200)
    assert [await ended(found, repeated=True) for _ in range(30)] == [200] * 30


async def test_a_caller_that_loses_its_patience_may_come_again_and_is_counted() -> None:
    found = stage(ClientDisconnected("gone"), budget=RetryBudget(min_retries=1))
    await ended(found)
    assert await ended(found, repeated=True) == "ClientDisconnected"
    assert await ended(found, repeated=True) == "TooManyRetries"


async def test_enough_failures_open_the_breaker() -> None:
    found = stage(500, 500, 500, 500, 200, attempts=1, operation=QUICK)
    assert [await ended(found) for _ in range(6)] == [500] * 4 + ["CircuitOpen"] * 2
    found.clock.now_s += 5.0
    assert [await ended(found) for _ in range(2)] == [200, 200]
    assert len(found.service.seen) == 6


async def test_a_refusal_says_how_long_to_wait() -> None:
    found = stage(500, attempts=1, operation=QUICK)
    for _ in range(4):
        await ended(found)
    found.clock.now_s += 1.5
    with pytest.raises(CircuitOpen) as caught:
        await found.call()
    assert caught.value.retry_after_s == 4


@pytest.mark.parametrize(
    ("outcome", "of_service", "of_operation"),
    [
        (503, "open", "open"),
        (500, "closed", "open"),
        (404, "closed", "closed"),
        (REFUSED, "open", "open"),
        (OVERDUE, "open", "open"),
        (UpstreamOverloaded("full"), "closed", "closed"),
        (ClientDisconnected("gone"), "closed", "closed"),
    ],
)
async def test_each_breaker_counts_what_speaks_of_it(
    outcome: Outcome, of_service: str, of_operation: str
) -> None:
    found = stage(outcome, attempts=1, service=QUICK, operation=QUICK)
    for _ in range(4):
        await ended(found)
    assert {name: breaker.state for name, breaker in found.breakers.items()} == {
        "service": of_service,
        "operation": of_operation,
    }


async def test_a_caller_that_gives_too_little_time_opens_nothing() -> None:
    found = stage(OVERDUE, attempts=1, service=QUICK)
    for _ in range(20):
        await ended(found, impatient=True)
    assert found.breakers["service"].state == "closed"


async def test_an_open_breaker_ends_the_repeating() -> None:
    """The answer that opened it goes out, and no refusal in its place."""
    found = stage(503, attempts=10, operation=QUICK, budget=RetryBudget(min_retries=100))
    assert await ended(found) == 503
    assert len(found.service.seen) == 4


async def test_a_refused_call_leaves_no_trial_behind() -> None:
    """Where the service's breaker lets a trial through and the operation's does not."""
    found = stage(503, attempts=1, service=QUICK, operation=Breaker(min_calls=4, open_s=50.0))
    for _ in range(4):
        await ended(found)
    found.clock.now_s += 6.0
    for _ in range(5):
        assert await ended(found) == "CircuitOpen"
    assert found.breakers["service"].admit(found.clock.now_s) >= 0


async def test_a_cancelled_call_gives_its_trial_back() -> None:
    found = stage(503, 503, 503, 503, asyncio.CancelledError(), 200, attempts=1, operation=QUICK)
    for _ in range(4):
        await ended(found)
    found.clock.now_s += 5.0
    with pytest.raises(asyncio.CancelledError):
        await found.call()
    assert await ended(found) == 200
    assert found.breakers["operation"].state == "closed"


def test_errors_of_the_gateway_itself_are_known_to_be_unsent() -> None:
    errors: list[UpstreamError] = [CircuitOpen("x", retry_after_s=1), TooManyRetries("x")]
    assert all(error.unsent for error in errors)
