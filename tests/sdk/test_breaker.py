"""When calls are refused here, and when they are let through again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from dhatu_client._policies.breaker import Breaker, BreakerPolicy, Breakers
from dhatu_client._wire import Answer
from sdk.support import VirtualTime
from sdk.world import LOST, OK, refusal

URL = "https://a.test"


class Watched:
    """One breaker, its clock, and what it told."""

    def __init__(self, **policy: float) -> None:
        self.time = VirtualTime()
        self.states: list[str] = []
        settings: dict[str, Any] = {"failures": 1000, "half_open_calls": 1, **policy}
        self.breaker = Breaker(BreakerPolicy(**settings), self.time.now_s, self.states.append)

    def calls(self, *failed: bool | None) -> None:
        for one in failed:
            ticket = self.breaker.admit()
            assert ticket is not None
            self.breaker.settle(ticket, failed=one)

    @property
    def open(self) -> bool:
        ticket = self.breaker.admit()
        if ticket is not None:
            self.breaker.settle(ticket, failed=None)
        return ticket is None


class TestRate:
    def test_it_opens_where_more_than_the_share_fails(self) -> None:
        watched = Watched(failure_rate=0.5, min_calls=10)
        watched.calls(*[False, True] * 5)
        assert not watched.open
        watched.calls(True)
        assert watched.open

    def test_too_few_calls_tell_nothing(self) -> None:
        watched = Watched(failure_rate=0.5, min_calls=10)
        watched.calls(*[True] * 9)
        assert not watched.open

    def test_what_is_older_than_the_window_is_forgotten(self) -> None:
        watched = Watched(failure_rate=0.5, min_calls=10, window_s=10.0)
        watched.calls(*[True] * 9)
        watched.time.now += 11.0
        watched.calls(*[True] * 9)
        assert not watched.open

    def test_after_closing_the_count_begins_anew(self) -> None:
        watched = Watched(failure_rate=0.5, min_calls=10, open_s=1.0)
        watched.calls(*[True] * 10)
        watched.time.now += 1.0
        watched.calls(False)
        watched.calls(*[True] * 9)
        assert watched.states == ["open", "half_open", "closed"]


class TestHalfOpen:
    def opened(self) -> Watched:
        watched = Watched(failures=3, open_s=5.0, half_open_calls=3)
        watched.calls(True, True, True)
        watched.time.now += 5.0
        return watched

    def test_so_many_trials_may_be_under_way_at_once(self) -> None:
        watched = self.opened()
        tickets = [watched.breaker.admit() for _ in range(4)]
        assert [ticket is not None for ticket in tickets] == [True, True, True, False]

    def test_so_many_successes_close_it(self) -> None:
        watched = self.opened()
        watched.calls(False, False)
        assert watched.states[-1] == "half_open"
        watched.calls(False)
        assert watched.states[-1] == "closed"

    def test_one_failure_opens_it_again(self) -> None:
        watched = self.opened()
        watched.calls(False, True)
        assert watched.open
        assert watched.breaker.refuses_for_s() == 5.0

    def test_a_trial_that_was_given_up_makes_room(self) -> None:
        watched = self.opened()
        watched.calls(None, None, None, None)
        assert not watched.open

    def test_an_outcome_from_before_says_nothing(self) -> None:
        watched = Watched(failures=3, open_s=5.0)
        early = watched.breaker.admit()
        assert early is not None
        watched.calls(True, True, True)
        watched.breaker.settle(early, failed=False)
        assert watched.open


def test_four_hundreds_and_cancellation_leave_it_alone() -> None:
    watched = Watched(failures=3, min_calls=3)
    watched.calls(*[None] * 50)
    assert not watched.open


def test_who_listens_may_use_the_breaker() -> None:
    watched = Watched(failures=1)
    watched.breaker._changed = lambda state: watched.states.append(f"{state} {watched.breaker.admit()}")
    watched.calls(True)
    assert watched.states == ["open None"]


def test_threads_share_it_without_losing_count() -> None:
    watched = Watched(failures=10_000, failure_rate=1.0)

    def work() -> None:
        for _ in range(500):
            watched.calls(True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not watched.open
    watched.calls(*[True] * 6000)
    assert watched.open


class TestBreakers:
    def breakers(self) -> tuple[Breakers, list[tuple[str, str]]]:
        told: list[tuple[str, str]] = []
        policy = BreakerPolicy(failures=3)
        return Breakers(policy, VirtualTime().now_s, lambda *change: told.append(change)), told

    def fail(self, breakers: Breakers, operation: str, outcome: object, times: int = 3) -> None:
        for _ in range(times):
            tickets = breakers.admit(URL, operation)
            assert tickets is not None
            breakers.settle(tickets, outcome)  # type: ignore[arg-type]  # one of the outcomes above

    @pytest.mark.parametrize("status", [500, 501])
    def test_an_operation_that_fails_closes_no_way_but_its_own(self, status: int) -> None:
        breakers, told = self.breakers()
        self.fail(breakers, "corpus.search", refusal(status))
        assert breakers.admit(URL, "corpus.search") is None
        assert breakers.admit(URL, "corpus.stats") is not None
        assert told == [(f"corpus.search at {URL}", "open")]

    @pytest.mark.parametrize("outcome", [LOST, refusal(503), refusal(502), refusal(504)])
    def test_an_endpoint_that_is_gone_closes_all_of_them(self, outcome: object) -> None:
        breakers, told = self.breakers()
        self.fail(breakers, "corpus.search", outcome, 2)
        self.fail(breakers, "corpus.stats", outcome, 1)
        assert breakers.admit(URL, "analysis.run") is None
        assert breakers.admit("https://b.test", "analysis.run") is not None
        assert told == [(URL, "open")]

    def test_endpoints_that_are_gone_are_forgotten(self) -> None:
        breakers, _ = self.breakers()
        self.fail(breakers, "corpus.search", LOST)
        under_way = breakers.admit("https://b.test", "corpus.search")
        assert under_way is not None
        breakers.keep(["https://b.test"])
        assert breakers.admit(URL, "corpus.search") is not None
        breakers.keep([])
        breakers.settle(under_way, LOST)
        assert breakers.refuses_for_s("https://b.test", "corpus.search") == 0

    def test_refused_by_one_it_holds_no_place_in_the_other(self) -> None:
        breakers, _ = self.breakers()
        self.fail(breakers, "corpus.search", refusal(500))
        for _ in range(10):
            assert breakers.admit(URL, "corpus.search") is None
        self.fail(breakers, "corpus.stats", OK, 1)
        assert breakers.refuses_for_s(URL, "corpus.stats") == 0

    def test_a_moved_answer_is_a_success(self) -> None:
        breakers, _ = self.breakers()
        self.fail(breakers, "corpus.search", LOST, 2)
        self.fail(breakers, "corpus.search", Answer(status=302, headers={}), 1)
        self.fail(breakers, "corpus.search", LOST, 2)
        assert breakers.admit(URL, "corpus.search") is not None
