"""Outlier detection with Envoy's formulas, on a clock of the test's own."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

import pytest
from dhatu_gateway.core.upstream.health.ejection import OutlierDetection
from dhatu_gateway.core.upstream.policy import Ejection
from gateway.upstream.balancing.candidate import Candidate, candidates


def detection(**changes: Any) -> OutlierDetection:
    return OutlierDetection(dataclasses.replace(Ejection(), **changes), random.Random(7).random, 0.0)


def hosts(count: int) -> list[Candidate]:
    return candidates(*[1.0] * count)


def calls(
    found: OutlierDetection,
    members: Sequence[Candidate],
    member: Candidate,
    outcomes: str,
    now_s: float = 1.0,
) -> bool:
    """Attempts one after another: `+` succeeded, `-` failed."""
    changes = [
        found.count(members, member, failed=outcome == "-", began_s=now_s, now_s=now_s)
        for outcome in outcomes
    ]
    return any(changes)


def ejected(members: Sequence[Candidate]) -> str:
    return "".join(member.name for member in members if member.health.ejected_until_s is not None)


@pytest.mark.parametrize(
    ("outcomes", "out"), [("----", ""), ("-----", "a"), ("----+----", ""), ("+-----", "a")]
)
def test_five_failures_in_a_row_eject(outcomes: str, out: str) -> None:
    members = hosts(3)
    assert calls(detection(), members, members[0], outcomes) == bool(out)
    assert ejected(members) == out


def test_a_tenth_may_be_out_but_one_always() -> None:
    for count, most in ((2, 1), (3, 1), (10, 1), (20, 2), (40, 4)):
        members, found = hosts(count), detection()
        for member in members:
            calls(found, members, member, "-----")
        assert len(ejected(members)) == most


def test_the_last_one_never_is() -> None:
    members, found = hosts(2), detection(max_ejection_percent=100.0)
    for member in members:
        calls(found, members, member, "-----")
    assert ejected(members) == "a"
    alone = hosts(1)
    assert not calls(found, alone, alone[0], "-" * 50)


def test_each_ejection_is_longer_up_to_the_longest() -> None:
    members, found = hosts(2), detection(max_ejection_s=100.0)
    lengths: list[float] = []
    now_s = 0.0
    for _ in range(5):
        calls(found, members, members[0], "-----", now_s)
        until_s = members[0].health.ejected_until_s
        assert until_s is not None
        lengths.append(until_s - now_s)
        now_s = until_s
        assert not found.turn(members, until_s - 0.001)
        assert found.turn(members, until_s)
    assert lengths == [30.0, 60.0, 90.0, 100.0, 100.0]


def test_each_healthy_interval_forgives_one() -> None:
    members, found = hosts(2), detection()
    health = members[0].health
    for now_s in (0.0, 30.0):
        calls(found, members, members[0], "-----", now_s)
        found.turn(members, health.ejected_until_s or 0.0)
    assert health.times_ejected == 2
    back_s = 90.0
    calls(found, members, members[0], "-----", back_s + 10.5)
    assert health.ejected_until_s == back_s + 10.5 + 60.0


def test_jitter_adds_to_the_time() -> None:
    members, found = hosts(2), detection(jitter_s=10.0)
    calls(found, members, members[0], "-----", 0.0)
    until_s = members[0].health.ejected_until_s
    assert until_s is not None
    assert 30.0 < until_s < 40.0


def test_an_attempt_from_before_says_nothing() -> None:
    members, found = hosts(2), detection(consecutive_failures=1)
    calls(found, members, members[0], "-", 5.0)
    found.turn(members, 35.0)
    assert not found.count(members, members[0], failed=True, began_s=4.0, now_s=36.0)
    assert found.count(members, members[0], failed=True, began_s=35.0, now_s=36.0)


def interval(
    found: OutlierDetection, members: Sequence[Candidate], failed: Sequence[int], of: int = 100
) -> str:
    """So many failures of each in one interval; who is out after it."""
    for member, failures in zip(members, failed, strict=True):
        calls(found, members, member, "-" * failures + "+" * (of - failures))
    found.turn(members, 10.0)
    return ejected(members)


def test_who_succeeds_far_less_than_the_others_is_out() -> None:
    quiet: dict[str, Any] = {"consecutive_failures": None}
    # mean 0.942, stdev 0.1 (population), threshold 0.752
    assert interval(detection(**quiet), hosts(6), [2, 1, 0, 1, 2, 29]) == "f"
    assert interval(detection(**quiet), hosts(6), [20, 15, 12, 18, 10, 29]) == ""
    assert interval(detection(**quiet), hosts(4), [0, 0, 0, 90]) == "", "four are too few to compare"
    assert interval(detection(**quiet), hosts(6), [2, 1, 0, 1, 2, 29], of=99) == "", "99 calls are too few"
    off = detection(**quiet, success_rate_stdev_factor=None)
    assert interval(off, hosts(6), [2, 1, 0, 1, 2, 29]) == ""


def test_counts_that_are_too_old_judge_nobody() -> None:
    members, found = hosts(6), detection(consecutive_failures=None)
    for member, failures in zip(members, [0, 0, 0, 0, 0, 50], strict=True):
        calls(found, members, member, "-" * failures + "+" * (100 - failures))
    found.turn(members, 25.0)
    assert ejected(members) == ""
    assert members[0].health.volume == 0


def test_it_says_when_it_wants_to_be_asked_again() -> None:
    members, found = hosts(2), detection(interval_s=60.0)
    assert found.due_s == 60.0
    calls(found, members, members[0], "-----", 1.0)
    assert found.due_s == 31.0
    found.turn(members, 31.0)
    assert found.due_s == 60.0
