"""The life of a call on a virtual clock: what is sent, how long is waited, and what is raised."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from dhatu_client._encoding.content import Body, BytesBody, StreamBody
from dhatu_client._errors import (
    APIStatusError,
    BreakerOpenError,
    ConnectionFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    DhatuError,
    RateLimitedError,
    ServerError,
)
from dhatu_client._flow.life import call_flow
from dhatu_client._policies.breaker import BreakerPolicy
from dhatu_client._wire import Answer, Failure, Outcome
from sdk.world import LOST, OK, TIMEOUT, UNSENT, World, refusal


def test_a_success_is_returned_at_once() -> None:
    world = World()
    assert world.run(world.call(), OK) is OK
    assert (len(world.sent), world.time.slept) == (1, [])


def test_waits_grow_and_are_drawn_from_the_whole_window() -> None:
    world = World(max_retries=6)
    world.run(world.call(timeout_s=1000), *[refusal(503)] * 6, OK)
    draws = random.Random(7)
    windows = [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert world.time.slept == pytest.approx([draws.random() * window for window in windows])


def test_retries_end_and_the_last_error_is_raised() -> None:
    world = World(max_retries=2)
    with pytest.raises(ServerError) as raised:
        world.run(world.call(), refusal(503), refusal(502), refusal(504), OK)
    assert (raised.value.status, raised.value.attempts, len(world.sent)) == (504, 3, 3)
    assert "after 3 attempts" in str(raised.value)


@pytest.mark.parametrize(
    ("outcome", "classes"),
    [
        (refusal(408), "safe idempotent keyed"),
        (refusal(429), "safe idempotent keyed"),
        (refusal(500), "safe"),
        (refusal(501), ""),
        (refusal(502), "safe idempotent keyed"),
        (refusal(503), "safe idempotent keyed"),
        (refusal(504), "safe idempotent keyed"),
        (refusal(400), ""),
        (refusal(404), ""),
        (refusal(409), ""),
        (refusal(302), ""),
        (LOST, "safe idempotent keyed"),
        (TIMEOUT, "safe idempotent keyed"),
        (UNSENT, "safe idempotent keyed never"),
        (Failure(kind="connect_timeout", cause=TimeoutError()), "safe idempotent keyed never"),
        (Failure(kind="pool_timeout", cause=TimeoutError()), "safe idempotent keyed never"),
    ],
)
@pytest.mark.parametrize("retry", ["safe", "idempotent", "keyed", "never"])
def test_what_is_tried_again(outcome: Outcome, classes: str, retry: str) -> None:
    world = World()
    if retry in classes.split():
        assert world.run(world.call(retry), outcome, OK) == replace(OK, attempts=2)
    else:
        with pytest.raises(DhatuError):
            world.run(world.call(retry), outcome, OK)
        assert len(world.sent) == 1


def test_no_retries_means_none() -> None:
    world = World(max_retries=0)
    with pytest.raises(ServerError):
        world.run(world.call(), refusal(503), OK)
    assert len(world.sent) == 1


class TestRetryAfter:
    @pytest.mark.parametrize("text", ["7", "7.0", " 7 "])
    def test_seconds_are_waited_in_full(self, text: str) -> None:
        world = World()
        world.run(world.call(), refusal(429, {"retry-after": text}), OK)
        assert world.time.slept == [7.0]

    def test_a_date_is_read_by_the_servers_clock(self) -> None:
        world = World()
        headers = {"retry-after": "Tue, 01 Jul 2025 00:00:12 GMT", "date": "Tue, 01 Jul 2025 00:00:00 GMT"}
        world.run(world.call(), refusal(503, headers), OK)
        assert world.time.slept == [12.0]

    def test_a_date_without_a_servers_clock_is_read_by_ours(self) -> None:
        world = World()
        world.run(world.call(), refusal(503, {"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}), OK)
        assert world.time.slept == [10.0]

    def test_it_never_shortens_the_wait(self) -> None:
        world = World()
        world.run(world.call(), refusal(503, {"retry-after": "0"}), OK)
        assert world.time.slept == [random.Random(7).random() * 0.5]

    @pytest.mark.parametrize("text", ["soon", "-3", "", "٣", "Tue, 99 Foo 2025"])
    def test_what_cannot_be_read_is_as_if_it_were_absent(self, text: str) -> None:
        world = World()
        world.run(world.call(), refusal(503, {"retry-after": text}), OK)
        assert world.time.slept == [random.Random(7).random() * 0.5]

    def test_a_longer_wait_than_the_cap_is_left_to_the_caller(self) -> None:
        world = World()
        with pytest.raises(RateLimitedError, match="Retry-After: 61 s") as raised:
            world.run(world.call(timeout_s=600), refusal(429, {"retry-after": "61"}), OK)
        assert raised.value.retry_after_s == 61.0
        assert world.time.slept == []


class TestDeadline:
    def test_no_wait_goes_beyond_it(self) -> None:
        world = World()
        with pytest.raises(RateLimitedError):
            world.run(world.call(timeout_s=10), refusal(429, {"retry-after": "6"}), OK, took_s=5)
        assert world.time.slept == []

    def test_each_attempt_gets_what_is_left(self) -> None:
        world = World()
        world.run(world.call(timeout_s=10), refusal(429, {"retry-after": "4"}), OK, took_s=1)
        assert [send.time_left_s for send in world.sent] == [10.0, 5.0]


def test_attempt_and_time_left_are_told() -> None:
    world = World()
    world.run(world.call(timeout_s=10), refusal(429, {"retry-after": "4"}), OK, took_s=1)
    assert [dict(send.headers) for send in world.sent] == [
        {"x-d-attempt": "1", "x-d-timeout-ms": "10000"},
        {"x-d-attempt": "2", "x-d-timeout-ms": "5000"},
    ]


def test_an_api_without_a_prefix_is_told_nothing() -> None:
    world = World()
    world.run(world.call(prefix=""), OK)
    assert world.sent[0].headers == ()


class TestBodies:
    def test_a_body_that_ran_dry_is_not_sent_again(self) -> None:
        world = World()
        with pytest.raises(ConnectionLostError):
            world.run(world.call(body=StreamBody(iter([b"once"]))), LOST, OK)
        assert len(world.sent) == 1

    def test_a_body_that_was_never_begun_is_whole(self) -> None:
        body = StreamBody(iter([b"once"]))
        body.chunks()  # as a transport does that then finds no connection
        assert body.repeatable
        assert (list(body.chunks()), body.repeatable) == ([b"once"], False)

    @pytest.mark.parametrize("body", [BytesBody(b"twice"), StreamBody([b"twice"])], ids=["bytes", "list"])
    def test_others_are(self, body: Body) -> None:
        world = World()
        assert world.run(world.call(body=body), LOST, OK) == replace(OK, attempts=2)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UNSENT, ConnectionFailedError),
        (LOST, ConnectionLostError),
        (TIMEOUT, DeadlineExceededError),
        (Failure(kind="connect_timeout", cause=TimeoutError()), ConnectTimeoutError),
        (Failure(kind="pool_timeout", cause=TimeoutError()), ConnectTimeoutError),
    ],
)
def test_a_failure_becomes_an_error_with_its_cause(failure: Failure, kind: type[DhatuError]) -> None:
    world = World(max_retries=0)
    with pytest.raises(kind, match=r"^documents\.get: ") as raised:
        world.run(world.call(), failure)
    assert type(raised.value) is kind
    assert raised.value.__cause__ is failure.cause
    assert isinstance(raised.value, TimeoutError) == ("timeout" in failure.kind)


class TestBreaker:
    POLICY = BreakerPolicy(failures=3, open_s=5.0, half_open_calls=1)

    def world(self) -> World:
        return World(max_retries=0, breaker=self.POLICY)

    def fail(self, world: World, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            with pytest.raises(DhatuError):
                world.run(world.call(), outcome)

    def test_failures_in_a_row_open_it_and_nothing_is_sent(self) -> None:
        world = self.world()
        self.fail(world, refusal(503), LOST, TIMEOUT)
        with pytest.raises(BreakerOpenError) as raised:
            world.run(world.call(), OK)
        assert (len(world.sent), raised.value.retry_after_s) == (3, 5.0)

    @pytest.mark.parametrize(
        "outcome", [refusal(404), refusal(429), Failure(kind="pool_timeout", cause=TimeoutError())]
    )
    def test_the_callers_own_failures_do_not_count(self, outcome: Outcome) -> None:
        world = self.world()
        self.fail(world, *[outcome] * 5)
        assert world.run(world.call(), OK) is OK

    def test_a_success_starts_the_count_again(self) -> None:
        world = self.world()
        self.fail(world, LOST, LOST)
        world.run(world.call(), OK)
        self.fail(world, LOST, LOST)
        assert world.run(world.call(), OK) is OK

    def test_after_a_while_one_trial_decides(self) -> None:
        world = self.world()
        self.fail(world, LOST, LOST, LOST)
        world.time.now += 5.0
        self.fail(world, LOST)
        with pytest.raises(BreakerOpenError):
            world.run(world.call(), OK)
        world.time.now += 5.0
        assert world.run(world.call(), OK) is OK
        assert world.run(world.call(), OK) is OK

    def test_while_the_trial_is_under_way_others_are_refused(self) -> None:
        world = self.world()
        self.fail(world, LOST, LOST, LOST)
        world.time.now += 5.0
        trial = call_flow(world.call(), world.policies)
        next(trial)
        with pytest.raises(BreakerOpenError):
            world.run(world.call(), OK)
        trial.close()

    def test_a_cancelled_trial_makes_room_for_the_next(self) -> None:
        world = self.world()
        self.fail(world, LOST, LOST, LOST)
        world.time.now += 5.0
        trial = call_flow(world.call(), world.policies)
        next(trial)
        trial.close()
        assert world.run(world.call(), OK) is OK

    def test_cancelled_calls_do_not_count(self) -> None:
        world = self.world()
        for _ in range(5):
            flow = call_flow(world.call(), world.policies)
            next(flow)
            flow.close()
        assert world.run(world.call(), OK) is OK

    def test_an_answer_from_before_it_opened_does_not_close_it(self) -> None:
        world = self.world()
        early = call_flow(world.call(), world.policies)
        next(early)
        self.fail(world, LOST, LOST, LOST)
        with pytest.raises(StopIteration):
            early.send(OK)
        with pytest.raises(BreakerOpenError):
            world.run(world.call(), OK)

    def test_a_call_whose_retries_open_it_raises_its_own_error(self) -> None:
        world = World(max_retries=5, breaker=self.POLICY)
        with pytest.raises(ConnectionLostError) as raised:
            world.run(world.call(), LOST, LOST, LOST)
        assert raised.value.attempts == 3


def test_the_servers_words_are_in_the_error() -> None:
    world = World()
    body = (
        b'{"type": "https://docs.test/p", "title": "Invalid request", "detail": "1 part is wrong.",'
        b' "errors": [{"location": "body", "name": "/text", "detail": "is required"}, 3], "hint": [1]}'
    )
    with pytest.raises(APIStatusError) as raised:
        world.run(world.call(), Answer(status=400, headers={"x-request-id": "req-1"}, content=body))
    error = raised.value
    assert str(error) == ("documents.get: 400 Invalid request: body /text is required [request id req-1]")
    assert [str(part) for part in error.errors] == ["body /text is required"]
    assert (error.request_id, error.problem.type, error.problem.extensions) == (
        "req-1",
        "https://docs.test/p",
        {"hint": [1]},
    )


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[1]", b"null", b'{"title": 3, "errors": "x"}', b"\xff\xfe"]
)
def test_an_unreadable_error_is_still_an_error(content: bytes) -> None:
    world = World()
    with pytest.raises(ServerError, match=r"^documents\.get: 501 Not Implemented"):
        world.run(world.call(), Answer(status=501, headers={}, content=content))
