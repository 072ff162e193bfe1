"""What every balancer keeps, whatever it balances by."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import get_args

import pytest
from dhatu_client._balance.balancer import BALANCERS
from dhatu_client._balance.policy import Algorithm
from dhatu_client._wire import Endpoint
from sdk.balance.world import A, B, Balanced, C, misfit, only

ALGORITHMS = sorted(BALANCERS)
WEIGHTED = sorted(set(ALGORITHMS) - {"round_robin"})
CHI_SQUARED_2 = 13.8
"""Exceeded by chance once in a thousand times, with two degrees of freedom (three endpoints)."""

every = pytest.mark.parametrize("algorithm", ALGORITHMS)


def test_every_algorithm_that_can_be_asked_for_is_there() -> None:
    assert set(BALANCERS) == set(get_args(Algorithm))


@every
def test_equal_endpoints_get_equal_shares(algorithm: Algorithm) -> None:
    shares = Balanced([A, B, C], algorithm=algorithm).shares(6000)
    assert misfit(shares, {A: 1, B: 1, C: 1}) < CHI_SQUARED_2


@pytest.mark.parametrize("weights", [(1, 2, 3), (0.5, 0.5, 8), (5, 1, 1)])
@pytest.mark.parametrize("algorithm", WEIGHTED)
def test_shares_follow_the_weights(algorithm: Algorithm, weights: tuple[float, ...]) -> None:
    endpoints = [Endpoint(url, weight) for url, weight in zip((A, B, C), weights, strict=True)]
    shares = Balanced(endpoints, algorithm=algorithm).shares(6000)
    assert misfit(shares, {endpoint.url: endpoint.weight for endpoint in endpoints}) < CHI_SQUARED_2


@every
def test_equal_shares_hold_while_calls_overlap(algorithm: Algorithm) -> None:
    """Within a tenth: what a balancer by load evens out is the load, and the count only on the whole."""
    shares = Balanced([A, B, C], algorithm=algorithm).load(6000, 0.001, dict.fromkeys((A, B, C), 0.01))
    assert all(abs(count - 2000) < 200 for count in shares.values()), shares


@every
def test_a_retry_goes_elsewhere(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B, C], algorithm=algorithm)
    assert {balanced.attempt(avoid=(A, C)) for _ in range(20)} == {B}


@every
def test_what_was_tried_is_used_again_where_nothing_else_is_left(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B], algorithm=algorithm)
    assert {balanced.attempt(avoid=(A, B)) for _ in range(20)} == {A, B}
    assert {balanced.attempt(avoid=(A, B), admits=only(B)) for _ in range(20)} == {B}


@every
def test_what_a_breaker_refuses_is_not_picked(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B, C], algorithm=algorithm)
    assert {balanced.attempt(admits=only(B, C)) for _ in range(50)} == {B, C}
    assert balanced.attempt(admits=only()) == ""


@every
def test_no_endpoint_is_no_pick(algorithm: Algorithm) -> None:
    assert Balanced([], algorithm=algorithm).attempt() == ""


@every
def test_a_killed_endpoint_fails_no_call_and_is_soon_left_alone(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B, C], algorithm=algorithm)
    balanced.load(300, 0.001, dict.fromkeys((A, B, C), 0.01))
    attempts = []
    for _ in range(600):
        tried: list[str] = []
        while not tried or tried[-1] == B:
            pick = balanced.pool.pick(avoid=tried)
            assert pick is not None
            tried.append(pick.endpoint.url)
            balanced.time.now += 0.001 if tried[-1] == B else 0.01
            balanced.pool.settle(pick, tried[-1] != B)
        attempts.append(len(tried))
    assert max(attempts) <= 2
    assert 1 <= attempts.count(2) <= 5  # until it is ejected
    assert 2 not in attempts[-300:]


@every
def test_a_new_endpoint_gets_its_share_and_a_lost_one_gets_none(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B], algorithm=algorithm, slow_start_s=0)
    balanced.shares(100)
    balanced.update(B, C)
    shares = balanced.shares(2000)
    assert set(shares) == {B, C}
    assert abs(shares[C] - 1000) < 120


@pytest.mark.parametrize("algorithm", WEIGHTED)
def test_a_weight_may_change(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B], algorithm=algorithm)
    balanced.shares(100)
    balanced.update(A, Endpoint(B, 3))
    assert misfit(balanced.shares(4000), {A: 1, B: 3}) < 10.8


@every
def test_an_attempt_may_end_after_its_endpoint_has_gone(algorithm: Algorithm) -> None:
    balanced = Balanced([A], algorithm=algorithm)
    picks = [balanced.pool.pick() for _ in range(9)]
    balanced.update(B, C)
    for pick in picks:
        assert pick is not None
        balanced.pool.settle(pick, False)
    assert {balanced.attempt() for _ in range(20)} == {B, C}
    assert balanced.events == []


@every
def test_settling_twice_counts_once(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B], algorithm=algorithm)
    first, second = balanced.pool.pick(), balanced.pool.pick()
    assert first is not None
    assert second is not None
    for _ in range(50):
        balanced.pool.settle(first, False)
    balanced.pool.settle(second, True)
    assert balanced.events == []
    assert misfit(balanced.shares(1000), {A: 1, B: 1}) < 10.8


@every
def test_threads_lose_nothing(algorithm: Algorithm) -> None:
    balanced = Balanced([A, B, C], algorithm=algorithm)
    seen: list[Counter[str]] = []

    def work() -> None:
        seen.append(balanced.shares(500))

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval_s)
    total = sum(seen, Counter())
    assert total.total() == 3000
    if algorithm in ("round_robin", "weighted"):
        assert set(total.values()) == {1000}
    # Nothing is left under way: a load that had been counted wrong would show in the shares.
    assert misfit(balanced.shares(3000), {A: 1, B: 1, C: 1}) < CHI_SQUARED_2
