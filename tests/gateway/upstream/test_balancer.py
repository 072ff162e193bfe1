"""What every balancer must do, then what is special to each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from dhatu_gateway.core.upstream.balancer import Balancer, LeastInFlight, RoundRobin, TwoRandomChoices


@dataclass(slots=True, eq=False)
class Candidate:
    in_flight: int = 0


def two_random_choices() -> Balancer:
    return TwoRandomChoices(random.Random(7).random)


ALL = [RoundRobin, LeastInFlight, two_random_choices]
BY_LOAD = [LeastInFlight, two_random_choices]


@pytest.fixture(params=ALL)
def balancer(request: pytest.FixtureRequest) -> Balancer:
    make: Callable[[], Balancer] = request.param
    return make()


@pytest.fixture(params=BY_LOAD)
def balancer_by_load(request: pytest.FixtureRequest) -> Balancer:
    make: Callable[[], Balancer] = request.param
    return make()


def test_the_only_candidate_is_picked(balancer: Balancer) -> None:
    only = Candidate()
    assert all(balancer.pick([only]) is only for _ in range(5))


@pytest.mark.parametrize("count", [2, 3, 7])
def test_equal_candidates_get_about_equal_shares(balancer: Balancer, count: int) -> None:
    candidates = [Candidate() for _ in range(count)]
    picks = Counter(candidates.index(balancer.pick(candidates)) for _ in range(700 * count))
    assert set(picks) == set(range(count))
    assert all(600 < share < 800 for share in picks.values())


def test_a_changing_number_of_candidates_is_no_problem(balancer: Balancer) -> None:
    candidates = [Candidate() for _ in range(9)]
    for count in (9, 1, 5, 2, 9, 3):
        for _ in range(10):
            assert balancer.pick(candidates[:count]) in candidates[:count]


def test_choosing_changes_nothing_about_the_candidates(balancer: Balancer) -> None:
    candidates = [Candidate(3), Candidate(1), Candidate(2)]
    for _ in range(20):
        balancer.pick(candidates)
    assert [candidate.in_flight for candidate in candidates] == [3, 1, 2]


def test_round_robin_takes_strict_turns_whatever_the_load() -> None:
    candidates = [Candidate(9), Candidate(0), Candidate(5)]
    balancer = RoundRobin()
    assert [candidates.index(balancer.pick(candidates)) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_the_less_busy_of_two_is_picked(balancer_by_load: Balancer) -> None:
    busy, quiet = Candidate(4), Candidate(3)
    assert all(balancer_by_load.pick([busy, quiet]) is quiet for _ in range(20))


def test_the_busiest_of_many_is_never_picked(balancer_by_load: Balancer) -> None:
    candidates = [Candidate(5), Candidate(9), Candidate(4), Candidate(5)]
    assert all(balancer_by_load.pick(candidates) is not candidates[1] for _ in range(200))


def test_a_slow_candidate_gets_less_work(balancer_by_load: Balancer) -> None:
    """Each round brings three requests; the quick ones finish all they have, the slow one only one."""
    quick, other, slow = candidates = [Candidate(), Candidate(), Candidate()]
    given: Counter[int] = Counter()
    for _ in range(300):
        for _ in range(6):
            picked = balancer_by_load.pick(candidates)
            picked.in_flight += 1
            given[candidates.index(picked)] += 1
        quick.in_flight = other.in_flight = 0
        slow.in_flight = max(0, slow.in_flight - 1)
    assert given[2] < 0.75 * min(given[0], given[1])


def test_least_in_flight_picks_the_least_of_all() -> None:
    candidates = [Candidate(3), Candidate(2), Candidate(1), Candidate(4)]
    balancer = LeastInFlight()
    assert {balancer.pick(candidates) for _ in range(10)} == {candidates[2]}


def test_two_random_choices_never_draws_the_same_one_twice() -> None:
    """At the edges of the generator's range too."""
    edge = 1 - 2**-53
    for draws in ((0.0, 0.0), (edge, edge), (0.0, edge), (edge, 0.0), (0.5, 0.5)):
        for count in (2, 3, 10):
            candidates = [Candidate(1) for _ in range(count)]
            first = candidates[int(draws[0] * count)]
            first.in_flight = 5
            picked = TwoRandomChoices(iter(draws).__next__).pick(candidates)
            assert picked is not first
