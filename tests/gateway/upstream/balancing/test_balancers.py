"""What every balancer must do, then what is special to each."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from typing import get_args

import pytest
from dhatu_gateway.core.upstream.balancing.balancer import Balancer, balancer_for
from dhatu_gateway.core.upstream.balancing.group import Group
from dhatu_gateway.core.upstream.balancing.p2c_ewma import PowerOfTwoChoices
from dhatu_gateway.core.upstream.balancing.ring_hash import RingHash
from dhatu_gateway.core.upstream.policy import Algorithm
from gateway.upstream.balancing.candidate import Candidate, candidates

BY_LOAD = ("least_connections", "p2c_ewma")
BY_WEIGHT = ("weighted", "least_connections", "p2c_ewma", "hash")


def make(algorithm: Algorithm) -> Balancer:
    return balancer_for(algorithm, random.Random(7).random)


def shares(balancer: Balancer, group: Group[Candidate], picks: int) -> list[int]:
    """How often each was picked, every request with a key of its own."""
    counted = Counter(balancer.pick(group, b"%d" % number, 0.0).name for number in range(picks))
    return [counted[member.name] for member in group.members]


@pytest.fixture(params=get_args(Algorithm))
def balancer(request: pytest.FixtureRequest) -> Balancer:
    return make(request.param)


@pytest.fixture(params=BY_LOAD)
def balancer_by_load(request: pytest.FixtureRequest) -> Balancer:
    return make(request.param)


@pytest.fixture(params=BY_WEIGHT)
def balancer_by_weight(request: pytest.FixtureRequest) -> Balancer:
    return make(request.param)


def test_the_only_candidate_is_picked(balancer: Balancer) -> None:
    only = Candidate("a", in_flight=3)
    assert all(balancer.pick(Group([only]), b"%d" % number, 0.0) is only for number in range(5))


@pytest.mark.parametrize("count", [2, 3, 7])
def test_equal_candidates_get_about_equal_shares(balancer: Balancer, count: int) -> None:
    picks = shares(balancer, Group(candidates(*[1.0] * count)), 700 * count)
    assert all(500 < share < 900 for share in picks), picks


def test_a_changing_number_of_candidates_is_no_problem(balancer: Balancer) -> None:
    members = candidates(*[1.0] * 9)
    for count in (9, 1, 5, 2, 9, 3):
        group = Group(members[:count])
        assert all(balancer.pick(group, b"%d" % number, 0.0) in group.members for number in range(10))


def test_what_is_avoided_is_picked_only_where_nothing_else_is_left(balancer: Balancer) -> None:
    group = Group(candidates(1, 1, 1))
    first, second, third = group.members
    for number in range(50):
        key = b"%d" % number
        assert balancer.pick(group.without([first, third]), key, 0.0) is second
        assert balancer.pick(group.without([first]), key, 0.0) in (second, third)
        assert balancer.pick(group.without(group.members), key, 0.0) in group.members


def test_choosing_changes_no_load(balancer: Balancer) -> None:
    members = candidates(1, 1, 1)
    for member, load in zip(members, (3, 1, 2), strict=True):
        member.in_flight = load
    for number in range(20):
        balancer.pick(Group(members), b"%d" % number, 0.0)
    assert [member.in_flight for member in members] == [3, 1, 2]


def test_shares_follow_the_weights(balancer_by_weight: Balancer) -> None:
    picks = shares(balancer_by_weight, Group(candidates(1, 2, 3)), 6_000)
    assert all(abs(share - wanted) < 400 for share, wanted in zip(picks, (1000, 2000, 3000), strict=True))


def test_round_robin_takes_strict_turns_whatever_load_and_weight() -> None:
    members = candidates(1, 5, 2)
    members[0].in_flight = 9
    group, balancer = Group(members), make("round_robin")
    assert [balancer.pick(group, b"", 0.0).name for _ in range(7)] == ["a", "b", "c", "a", "b", "c", "a"]


def test_round_robin_gives_one_that_starts_slowly_fewer_turns() -> None:
    members = candidates(1, 1)
    members[1].weight = 0.25
    assert shares(make("round_robin"), Group(members), 100) == [80, 20]


def test_smooth_weighted_spreads_the_turns_of_the_heavy() -> None:
    group, balancer = Group(candidates(5, 1, 1)), make("weighted")
    assert "".join(balancer.pick(group, b"", 0.0).name for _ in range(14)) == "aabacaa" * 2


def busy(*loads: int) -> list[Candidate]:
    """Each with so many requests under way, of one second each."""
    members = candidates(*[1.0] * len(loads))
    for member, load in zip(members, loads, strict=True):
        member.in_flight = load
        member.latency.observe(1.0, 0.0)
    return members


def test_the_less_busy_of_two_is_picked(balancer_by_load: Balancer) -> None:
    group = Group(busy(4, 3))
    assert {balancer_by_load.pick(group, b"", 0.0).name for _ in range(20)} == {"b"}


def test_the_busiest_of_many_is_never_picked(balancer_by_load: Balancer) -> None:
    group = Group(busy(5, 9, 4, 5))
    assert all(balancer_by_load.pick(group, b"", 0.0).name != "b" for _ in range(200))


def test_a_slow_candidate_gets_less_work(balancer_by_load: Balancer) -> None:
    """Each round brings six requests; the quick ones finish all they have, the slow one only one."""
    group = Group(busy(0, 0, 0))
    quick, other, slow = group.members
    given: Counter[str] = Counter()
    for _ in range(300):
        for _ in range(6):
            picked = balancer_by_load.pick(group, b"", 0.0)
            picked.in_flight += 1
            given[picked.name] += 1
        quick.in_flight = other.in_flight = 0
        slow.in_flight = max(0, slow.in_flight - 1)
    assert given["c"] < 0.75 * min(given["a"], given["b"])


def test_least_connections_picks_the_least_of_all_for_its_weight() -> None:
    group = Group(busy(3, 2, 1, 4))
    balancer = make("least_connections")
    assert {balancer.pick(group, b"", 0.0).name for _ in range(10)} == {"c"}
    heavy = candidates(1, 4)
    heavy[0].in_flight, heavy[1].in_flight = 1, 3
    assert balancer.pick(Group(heavy), b"", 0.0) is heavy[1]


@pytest.mark.parametrize("count", [2, 3, 10])
def test_two_choices_are_never_the_same_one(count: int) -> None:
    """At the edges of the generator's range too."""
    edge = 1 - 2**-53
    for draws in ((0.0, 0.0), (edge, edge), (0.0, edge), (edge, 0.0), (0.5, 0.5)):
        members = busy(*[1] * count)
        first = members[int(draws[0] * count)]
        first.in_flight = 5
        assert PowerOfTwoChoices(iter(draws).__next__).pick(Group(members), b"", 0.0) is not first


def test_a_slow_answer_is_remembered_at_once_and_forgotten_slowly() -> None:
    slow, quick = candidates(1, 1)
    slow.latency.observe(0.5, 0.0)
    quick.latency.observe(0.1, 0.0)
    group, balancer = Group([slow, quick]), make("p2c_ewma")
    assert {balancer.pick(group, b"", 0.1).name for _ in range(10)} == {"b"}
    slow.latency.observe(0.1, 5.0)
    assert 0.3 < slow.latency.cost_s < 0.4
    assert slow.latency.load(0, 1_000.0) < 0.001


def test_one_that_has_never_answered_is_not_given_everything() -> None:
    """Measured as having cost nothing so far, it would win every round."""
    fresh, known = candidates(1, 1)
    known.latency.observe(0.2, 0.0)
    fresh.in_flight = 1
    assert make("p2c_ewma").pick(Group([fresh, known]), b"", 0.0) is known


def test_a_key_stays_where_it_is() -> None:
    group, balancer = Group(candidates(1, 1, 1, 1)), make("hash")
    homes = {key: balancer.pick(group, key, 0.0).name for key in (b"%d" % number for number in range(400))}
    again = Group(list(reversed(group.members)))
    assert {key: RingHash().pick(again, key, 9.0).name for key in homes} == homes


def test_only_the_keys_of_one_that_leaves_move() -> None:
    members = candidates(1, 1, 1, 1)
    balancer = make("hash")
    before, after = Group(members), Group(members[:3])
    for key in (b"%d" % number for number in range(400)):
        home = balancer.pick(before, key, 0.0)
        if home is not members[3]:
            assert balancer.pick(after, key, 0.0) is home
        assert balancer.pick(before.without([members[3]]), key, 0.0) is balancer.pick(after, key, 0.0)


def test_every_process_hashes_alike() -> None:
    """Whatever the seed of Python's own hash."""
    program = (
        "from dhatu_gateway.core.upstream.balancing.ring_hash import hashed, points_of\n"
        "print(hashed(b'user-1'), points_of('10.0.0.1:80', 2))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
