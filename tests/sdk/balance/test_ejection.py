"""Who is left out, for how long, and how it comes back."""

from __future__ import annotations

import random
from typing import Any

import pytest
from dhatu_client._balance.policy import BalancePolicy, EjectionPolicy
from dhatu_client._balance.slow_start import ramp
from dhatu_client._errors import ConfigurationError
from dhatu_client._watch.events import EndpointEjected, EndpointRestored
from dhatu_client._wire import Endpoint
from sdk.balance.world import A, B, Balanced, C, misfit, only

FIVE = [f"https://{name}.test" for name in "abcde"]
RATES_ONLY = EjectionPolicy(consecutive_failures=None)


def ejected(balanced: Balanced) -> list[str]:
    return [event.endpoint for event in balanced.events if isinstance(event, EndpointEjected)]


def served(balanced: Balanced, attempts: int = 60) -> set[str]:
    return set(balanced.shares(attempts))


def busy(balanced: Balanced, failures: dict[str, int], calls: int) -> None:
    """Calls of one interval in random order, so many of each endpoint's failing; then the interval ends."""
    ends = [(url, number >= failed) for url, failed in failures.items() for number in range(calls)]
    random.Random(1).shuffle(ends)
    for url, verdict in ends:
        balanced.at(url, verdict)
    balanced.time.now += 10.0
    balanced.attempt(None)


def test_failures_in_a_row_eject_at_once() -> None:
    balanced = Balanced([A, B, C])
    balanced.at(B, False, times=4)
    assert balanced.events == []
    balanced.at(B, False)
    assert balanced.events == [EndpointEjected(endpoint=B, for_s=30.0, reason="5 failures in a row")]
    assert served(balanced) == {A, C}


def test_a_success_between_failures_begins_anew_and_what_says_nothing_does_not() -> None:
    balanced = Balanced([A, B])
    balanced.at(A, False, times=4)
    balanced.at(A, True)
    balanced.at(A, False, times=4)
    assert balanced.events == []
    balanced.at(A, None)
    balanced.at(A, False)
    assert ejected(balanced) == [A]


def test_an_ejected_endpoint_comes_back_when_its_time_is_over() -> None:
    balanced = Balanced([A, B], slow_start_s=0)
    balanced.at(A, False, times=5)
    balanced.time.now += 29.9
    assert served(balanced) == {B}
    balanced.time.now += 0.2
    assert served(balanced) == {A, B}
    assert balanced.events[1:] == [EndpointRestored(endpoint=A)]


def test_who_comes_back_may_fail_again_as_often() -> None:
    balanced = Balanced([A, B])
    balanced.at(A, False, times=5)
    balanced.time.now += 30.0
    balanced.at(A, False, times=4)
    assert ejected(balanced) == [A]
    balanced.at(A, False)
    assert ejected(balanced) == [A, A]


def test_each_ejection_lasts_longer_until_the_longest() -> None:
    balanced = Balanced([A, B])
    lasted = []
    for _ in range(12):
        balanced.at(A, False, times=5)
        lasted.append(balanced.events[-1].for_s)
        balanced.time.now += lasted[-1]
        balanced.attempt(None)
    assert lasted == [*(30.0 * times for times in range(1, 11)), 300.0, 300.0]


@pytest.mark.parametrize(("healthy_s", "for_s"), [(9.0, 90.0), (10.0, 60.0), (20.0, 30.0), (999.0, 30.0)])
def test_each_healthy_interval_forgives_one_ejection(healthy_s: float, for_s: float) -> None:
    balanced = Balanced([A, B])
    for _ in range(2):
        balanced.at(A, False, times=5)
        balanced.time.now += balanced.events[-1].for_s
        balanced.attempt(None)
    balanced.time.now += healthy_s
    balanced.at(A, False, times=5)
    assert balanced.events[-1].for_s == for_s


def test_the_last_endpoint_is_never_ejected() -> None:
    alone = Balanced([A])
    alone.at(A, False, times=50)
    two = Balanced([A, B], ejection=EjectionPolicy(max_ejection_percent=100))
    two.at(A, False, times=5)
    two.at(B, False, times=50)
    assert (ejected(alone), ejected(two)) == ([], [A])


@pytest.mark.parametrize(("percent", "most"), [(0, 1), (10, 1), (39, 1), (40, 2), (99, 4), (100, 4)])
def test_no_more_than_the_allowed_part_is_ejected_but_one_may_be(percent: float, most: int) -> None:
    balanced = Balanced(FIVE, ejection=EjectionPolicy(max_ejection_percent=percent))
    for url in FIVE:
        balanced.at(url, False, times=9)
    assert ejected(balanced) == FIVE[:most]


def test_what_began_before_an_ejection_says_nothing_after_it() -> None:
    balanced = Balanced([A, B], ejection=EjectionPolicy(base_ejection_s=1.0))
    late = [balanced.pool.pick(admits=only(A)) for _ in range(20)]
    balanced.at(A, False, times=5)
    balanced.time.now += 2.0
    balanced.attempt(None)
    for pick in late:
        assert pick is not None
        balanced.pool.settle(pick, False)
    assert ejected(balanced) == [A]


def test_most_calls_failing_ejects_though_never_in_a_row() -> None:
    balanced = Balanced([A, B], ejection=RATES_ONLY)
    busy(balanced, {A: 17, B: 0}, 20)
    assert balanced.events == [EndpointEjected(endpoint=A, for_s=30.0, reason="85 % of its calls failed")]


@pytest.mark.parametrize(
    ("failures", "calls"),
    [({A: 16, B: 0}, 20), ({A: 19, B: 0}, 19)],
    ids=["too few failures", "too few calls"],
)
def test_less_than_that_is_no_reason(failures: dict[str, int], calls: int) -> None:
    balanced = Balanced([A, B], ejection=RATES_ONLY)
    busy(balanced, failures, calls)
    assert balanced.events == []


def test_an_outlier_among_equals_is_ejected() -> None:
    balanced = Balanced(FIVE, ejection=RATES_ONLY)
    busy(balanced, {url: 40 if url == FIVE[3] else 2 for url in FIVE}, 100)
    (event,) = balanced.events
    assert (event.endpoint, event.reason) == (
        FIVE[3],
        "60 % of its calls succeeded, far fewer than elsewhere",
    )


@pytest.mark.parametrize(
    ("endpoints", "calls"), [(FIVE[:4], 100), (FIVE, 99)], ids=["too few endpoints", "too few calls"]
)
def test_an_outlier_needs_others_to_be_compared_with(endpoints: list[str], calls: int) -> None:
    balanced = Balanced(endpoints, ejection=RATES_ONLY)
    busy(balanced, {url: 40 if url == endpoints[3] else 0 for url in endpoints}, calls)
    assert balanced.events == []


def test_where_all_fail_alike_nobody_is_an_outlier() -> None:
    balanced = Balanced(FIVE, ejection=RATES_ONLY)
    busy(balanced, dict.fromkeys(FIVE, 50), 100)
    assert balanced.events == []


@pytest.mark.parametrize("policy", [{"failure_percentage_threshold": None}, {"interval_s": 1.0}])
def test_a_detector_can_be_off_and_old_counts_judge_nobody(policy: dict[str, Any]) -> None:
    """With an interval of 1 s, the 10 s that pass make the counts nine intervals old."""
    balanced = Balanced([A, B], ejection=EjectionPolicy(consecutive_failures=None, **policy))
    busy(balanced, {A: 50, B: 0}, 50)
    assert balanced.events == []


def test_counts_are_of_one_interval() -> None:
    balanced = Balanced([A, B], ejection=RATES_ONLY)
    for _ in range(5):
        busy(balanced, {A: 15, B: 0}, 15)
    assert balanced.events == []


def test_without_a_policy_nobody_is_ejected() -> None:
    balanced = Balanced([A, B], ejection=None)
    balanced.at(A, False, times=50)
    assert balanced.events == []


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.5, set(FIVE)), (0.4, set(FIVE[3:])), (0, set(FIVE[3:]))]
)
def test_in_a_panic_ejections_are_ignored(threshold: float, expected: set[str]) -> None:
    balanced = Balanced(
        FIVE,
        algorithm="round_robin",
        ejection=EjectionPolicy(max_ejection_percent=100),
        panic_threshold=threshold,
    )
    for url in FIVE[:3]:
        balanced.at(url, False, times=5)
    assert served(balanced) == expected


def test_an_ejected_endpoint_is_better_than_none() -> None:
    balanced = Balanced([A, B])
    balanced.at(A, False, times=5)
    assert balanced.attempt(admits=only(A)) == A
    assert balanced.attempt(avoid=(B,)) == B


def test_an_update_keeps_ejections_and_forgets_those_who_left() -> None:
    balanced = Balanced([A, B, C], slow_start_s=0)
    balanced.at(A, False, times=5)
    balanced.update(Endpoint(A, 9), B, C)
    assert served(balanced) == {B, C}
    balanced.update(B, C)
    balanced.update(A, B, C)
    assert served(balanced) == {A, B, C}


def test_an_address_is_told_without_its_user() -> None:
    secret = "https://user:secret@a.test/base"
    balanced = Balanced([secret, B])
    balanced.at(secret, False, times=5)
    assert ejected(balanced) == ["https://a.test/base"]


@pytest.mark.parametrize("algorithm", ["p2c_ewma", "round_robin", "weighted", "least_connections"])
@pytest.mark.parametrize("arrival", ["restored", "new"])
def test_who_comes_gets_its_share_slowly(algorithm: str, arrival: str) -> None:
    balanced = Balanced([A, B], algorithm=algorithm)
    if arrival == "restored":
        balanced.at(B, False, times=5)
        balanced.time.now += 30.0
        # Its failures took no time, so that nothing but its weight speaks against it.
    else:
        balanced.update(A)
        balanced.update(A, B)
    for passed_s, weight in ((3.0, 0.1), (12.0, 0.5), (15.0, 1.0)):
        balanced.time.now += passed_s
        assert misfit(balanced.shares(4000), {A: 1.0, B: weight}) < 10.8


def test_the_first_endpoints_start_at_once() -> None:
    assert misfit(Balanced([A, B]).shares(4000), {A: 1, B: 1}) < 10.8


@pytest.mark.parametrize(
    ("aggression", "expected"),
    [(1.0, [0.1, 0.25, 0.5]), (2.0, [0.1825, 0.5, 0.7071]), (0.5, [0.1, 0.1, 0.25])],
)
def test_aggression_is_envoys(aggression: float, expected: list[float]) -> None:
    policy = BalancePolicy(slow_start_aggression=aggression)
    assert [ramp(policy, age_s) for age_s in (0.0, 7.5, 15.0)] == pytest.approx(expected, abs=1e-4)
    assert ramp(policy, 30.0) == 1.0
    assert ramp(BalancePolicy(slow_start_s=0), 0.0) == 1.0
    assert ramp(BalancePolicy(slow_start_s=0.5), 0.0) == 1.0


@pytest.mark.parametrize(
    "values",
    [
        {"algorithm": "fastest"},
        {"slow_start_s": -1},
        {"slow_start_s": float("nan")},
        {"slow_start_aggression": 0},
        {"slow_start_min_weight": 1.5},
        {"panic_threshold": 2},
    ],
)
def test_a_policy_that_cannot_work_is_refused(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigurationError, match=name):
        BalancePolicy(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"consecutive_failures": 0},
        {"interval_s": 0},
        {"base_ejection_s": -5},
        {"max_ejection_percent": 101},
        {"failure_percentage_threshold": 0},
        {"success_rate_stdev_factor": float("nan")},
    ],
)
def test_an_ejection_policy_that_cannot_work_is_refused(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigurationError, match=name):
        EjectionPolicy(**values)
