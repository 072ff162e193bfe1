"""Who may be picked, as health, zones, tags and time have it; on a clock of the test's own."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from dhatu_gateway.core.upstream.balancing.choice import Choice
from dhatu_gateway.core.upstream.policy import Balance, Ejection, Subset, UpstreamPolicy
from gateway.upstream.balancing.candidate import Candidate, candidates

EJECTION = Ejection(consecutive_failures=3, base_ejection_s=30.0, max_ejection_percent=50.0)


def choice_of(
    members: list[Candidate], *, ejection: Ejection | None = None, own_zone: str = "", **balance: Any
) -> Choice[Candidate]:
    policy = UpstreamPolicy(
        balance=Balance(**({"algorithm": "round_robin"} | balance)), health=None, ejection=ejection
    )
    choice: Choice[Candidate] = Choice(policy, own_zone, random.Random(7).random, 0.0)
    choice.update(members, 0.0)
    return choice


def picked(choice: Choice[Candidate], now_s: float = 1.0, subset: str = "") -> str:
    """The names of all that are picked, in order of the alphabet."""
    return "".join(sorted({choice.pick(now_s, subset=subset).name for _ in range(40)}))


def fail(choice: Choice[Candidate], member: Candidate, times: int, now_s: float) -> None:
    for _ in range(times):
        choice.settle(member, True, now_s, now_s)


def check(choice: Choice[Candidate], member: Candidate, *, well: bool, now_s: float = 1.0) -> None:
    member.health.checked = well
    choice.checked(now_s, [member] if well else [])


def test_one_that_is_unwell_is_left_out_until_it_is_well_again() -> None:
    members = candidates(1, 1, 1)
    choice = choice_of(members)
    check(choice, members[1], well=False)
    assert picked(choice) == "ac"
    check(choice, members[1], well=True)
    assert picked(choice) == "abc"


def test_where_too_few_are_well_all_are_used() -> None:
    members = candidates(1, 1, 1, 1)
    choice = choice_of(members)
    for member in members[:2]:
        check(choice, member, well=False)
    assert picked(choice) == "cd", "half of them is enough"
    check(choice, members[2], well=False)
    assert picked(choice) == "abcd"


def test_without_panic_the_last_one_gets_everything() -> None:
    members = candidates(1, 1, 1, 1)
    choice = choice_of(members, panic_threshold=0.0)
    for member in members[:3]:
        check(choice, member, well=False)
    assert picked(choice) == "d"
    check(choice, members[3], well=False)
    assert picked(choice) == "abcd", "there is nobody else to ask"


def test_failures_in_a_row_eject_and_time_brings_back() -> None:
    members = candidates(1, 1, 1, 1)
    choice = choice_of(members, ejection=EJECTION)
    fail(choice, members[0], 3, 1.0)
    assert picked(choice, 30.9) == "bcd"
    assert picked(choice, 31.0) == "abcd"


def test_what_says_nothing_of_the_endpoint_ejects_nobody() -> None:
    members = candidates(1, 1)
    choice = choice_of(members, ejection=EJECTION)
    for _ in range(10):
        choice.settle(members[0], None, 1.0, 1.0)
    assert picked(choice) == "ab"


def test_one_that_comes_back_starts_slowly() -> None:
    members = candidates(1, 1)
    choice = choice_of(members, ejection=EJECTION, slow_start_s=30.0)
    fail(choice, members[0], 3, 1.0)

    def share(now_s: float) -> float:
        counted = Counter(choice.pick(now_s).name for _ in range(220))
        return counted["a"] / counted["b"]

    assert share(10.0) == 0.0
    assert 0.05 < share(31.0) < 0.15
    assert 0.45 < share(46.0) < 0.55
    assert share(62.0) == 1.0


def test_only_those_that_join_others_start_slowly() -> None:
    members = candidates(1, 1, 1)
    choice = choice_of(members[:2], slow_start_s=30.0)
    assert [member.weight for member in members[:2]] == [1.0, 1.0]
    choice.update(members, 5.0)
    assert [member.weight for member in members] == [1.0, 1.0, 0.1]
    choice.update(members[1:], 20.0)
    assert members[2].weight == 0.5


def in_zones(*zones: str) -> list[Candidate]:
    members = candidates(*[1.0] * len(zones))
    for member, zone in zip(members, zones, strict=True):
        member.zone = zone
    return members


def test_the_own_zone_is_preferred_while_it_is_well() -> None:
    members = in_zones("east", "east", "east", "west", "west")
    choice = choice_of(members, zone="prefer", own_zone="east")
    assert picked(choice) == "abc"
    check(choice, members[0], well=False)
    assert picked(choice) == "bcde", "two of three are fewer than seven tenths"
    check(choice, members[0], well=True)
    assert picked(choice) == "abc"


def test_a_zone_without_endpoints_of_its_own_uses_all() -> None:
    members = in_zones("east", "west")
    assert picked(choice_of(members, zone="prefer", own_zone="north")) == "ab"
    assert picked(choice_of(members, zone="prefer")) == "ab", "the gateway does not know its own"
    assert picked(choice_of(members, own_zone="east")) == "ab", "nobody has asked for it"


def with_canary() -> list[Candidate]:
    members = candidates(1, 1, 1)
    members[2].tags = ("canary",)
    return members


def test_a_canary_gets_only_what_is_meant_for_it() -> None:
    choice = choice_of(with_canary(), subsets=(Subset(tag="canary", share=0.1),))
    assert picked(choice) == "ab"
    assert picked(choice, subset="canary") == "c"


def test_a_canary_that_is_unwell_or_gone_gets_nothing() -> None:
    members = with_canary()
    choice = choice_of(members, subsets=(Subset(tag="canary", share=0.1),))
    check(choice, members[2], well=False)
    assert picked(choice, subset="canary") == "ab"
    choice.update(members[:2], 2.0)
    assert picked(choice, subset="canary") == "ab"


def test_where_all_are_canaries_everybody_goes_there() -> None:
    members = with_canary()[2:]
    choice = choice_of(members, subsets=(Subset(tag="canary", share=0.1),))
    assert picked(choice) == "c"


def test_a_tried_endpoint_is_avoided_within_a_subset() -> None:
    members = with_canary()
    choice = choice_of(members, subsets=(Subset(tag="canary", share=0.1),))
    assert {choice.pick(1.0, avoid=(members[0],)).name for _ in range(9)} == {"b"}
    assert choice.pick(1.0, subset="canary", avoid=(members[2],)) is members[2]


def test_latencies_are_learned() -> None:
    members = candidates(1, 1)
    choice = choice_of(members, algorithm="p2c_ewma")
    choice.settle(members[0], False, 0.0, 0.9)
    choice.settle(members[1], False, 0.0, 0.1)
    assert picked(choice, 1.0) == "b"
    assert choice.learns
    assert not choice_of(members).learns


def test_keys_stay_where_they_are_when_another_endpoint_is_left_out() -> None:
    members = candidates(1, 1, 1, 1)
    choice = choice_of(members, algorithm="hash")
    keys = [b"%d" % number for number in range(100)]
    homes = {key: choice.pick(1.0, key).name for key in keys}
    check(choice, members[3], well=False)
    moved = {key for key in keys if choice.pick(1.0, key).name != homes[key]}
    assert moved == {key for key in keys if homes[key] == "d"}
    check(choice, members[3], well=True)
    assert {key: choice.pick(1.0, key).name for key in keys} == homes
