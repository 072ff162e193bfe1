"""Several limits of one call: all are charged, or none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.rules import TOGETHER, rules_of, take
from gateway.rate_limiting.support import ALGORITHM_NAMES, ROUTE, countable, limit, several
from hypothesis import given
from hypothesis import strategies as st

NOW_US = 1_800_000_000_000_000
GAPS_US = st.lists(st.integers(0, 5_000_000) | st.integers(0, 10**9), min_size=1, max_size=40)


def named(limits: list[RateLimit]) -> tuple[RateLimit, ...]:
    return tuple(replace(each, name=f"limit{index}") for index, each in enumerate(limits))


@given(st.lists(countable(), min_size=2, max_size=4), GAPS_US)
def test_a_call_is_charged_to_all_limits_or_to_none(limits: list[RateLimit], gaps_us: list[int]) -> None:
    rules, now_us = rules_of(several(*named(limits))), NOW_US
    states = [rule.algorithm.fresh for rule in rules]
    for gap_us in gaps_us:
        now_us += gap_us
        alone = [
            rule.algorithm.step(state, now_us, rule.cost) for rule, state in zip(rules, states, strict=True)
        ]
        looked = [rule.algorithm.step(state, now_us, 0) for rule, state in zip(rules, states, strict=True)]
        _, after, decisions = take(rules, states, now_us)
        refused = any(decision.wait_us for _, decision in alone)
        told = looked if refused else alone
        assert [decision.wait_us for decision in decisions] == [decision.wait_us for _, decision in alone]
        assert [decision[1:] for decision in decisions] == [decision[1:] for _, decision in told]
        seen = [rule.algorithm.step(state, now_us, 0)[1] for rule, state in zip(rules, after, strict=True)]
        assert [decision[1:] for decision in seen] == [decision[1:] for _, decision in told]
        states = list(after)


@pytest.mark.parametrize("name", ALGORITHM_NAMES)
def test_a_limit_in_shadow_mode_refuses_nobody_and_counts_what_it_would_allow(name: str) -> None:
    rules = rules_of(
        several(
            limit(name="shadow", algorithm=name, limit=2, burst=2, shadow=True),
            limit(name="real", algorithm=name, limit=5, burst=5),
        )
    )
    states = [rule.algorithm.fresh for rule in rules]
    waits: list[list[bool]] = []
    for _ in range(7):
        _, after, decisions = take(rules, states, NOW_US)
        states = list(after)
        waits.append([decision.wait_us > 0 for decision in decisions])
    assert [shadow for shadow, _ in waits] == [False, False, True, True, True, True, True]
    assert [real for _, real in waits] == [False] * 5 + [True] * 2


@pytest.mark.parametrize("name", ALGORITHM_NAMES)
def test_a_limit_may_charge_what_another_one_refused(name: str) -> None:
    rules = rules_of(
        several(
            limit(name="small", limit=1, burst=1),
            limit(name="strict", algorithm=name, limit=3, burst=3, charge_refused=True),
        )
    )
    states = [rule.algorithm.fresh for rule in rules]
    left: list[int] = []
    for _ in range(4):
        _, after, decisions = take(rules, states, NOW_US)
        states = list(after)
        left.append(decisions[1].remaining)
    assert left == [2, 1, 0, 0]


def test_keys_of_one_call_lie_in_one_slot_and_others_are_spread() -> None:
    first, second = rules_of(several(limit(name="a"), limit(name="b", by="address")))
    assert first.tag == second.tag == TOGETHER
    (alone,) = rules_of(ROUTE)
    assert alone.tag == ""
    (of_service,) = rules_of(several(limit(by="service")))
    assert of_service.tag == TOGETHER, "another operation may count by it beside other limits"


def test_limits_by_service_are_shared_by_its_operations_and_others_are_not() -> None:
    here, there = ROUTE, replace(ROUTE, operation="corpus.stats")
    space = {
        by: [rules_of(replace(route, rate_limits=(limit(by=by),)))[0].space for route in (here, there)]
        for by in ("service", "principal")
    }
    assert space["service"][0] == space["service"][1]
    assert space["principal"][0] != space["principal"][1]


def test_limits_across_the_api_are_shared_by_all_services() -> None:
    other = replace(ROUTE, operation="analysis.insights", service="analysis")
    spaces = {
        rules_of(replace(route, rate_limits=(limit(across="api"),)))[0].space for route in (ROUTE, other)
    }
    assert len(spaces) == 1
