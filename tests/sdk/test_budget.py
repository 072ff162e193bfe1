"""What retries may add to the load."""

from __future__ import annotations

import pytest
from dhatu_client._errors import DhatuError, ServerError
from dhatu_client._policies.budget import BudgetPolicy, RetryBudget
from dhatu_client._watch.events import RetryScheduled
from hypothesis import given
from hypothesis import strategies as st
from sdk.support import VirtualTime
from sdk.world import OK, World, refusal


def test_a_fresh_client_may_retry_at_once() -> None:
    world = World(budget=BudgetPolicy())
    world.run(world.call(), refusal(503), refusal(503), OK)
    assert len(world.sent) == 3


def test_in_a_full_outage_attempts_stay_within_a_fifth_above_the_calls() -> None:
    world = World(budget=BudgetPolicy(), max_retries=2)
    for _ in range(1000):
        with pytest.raises(ServerError):
            world.run(world.call(), *[refusal(503)] * 3)
    assert 1000 < len(world.sent) <= 1200


def test_the_token_is_taken_when_the_retry_is_queued() -> None:
    world = World(budget=BudgetPolicy(reserve=1.0, per_call=0.0, per_s=0.0))
    flow_outcomes = [refusal(503), OK]
    world.run(world.call(), *flow_outcomes)
    with pytest.raises(ServerError) as raised:
        world.run(world.call(), refusal(503), OK)
    assert (raised.value.attempts, len(world.told(RetryScheduled))) == (1, 1)


def test_time_brings_tokens_to_a_client_that_calls_rarely() -> None:
    world = World(budget=BudgetPolicy(reserve=1.0, per_call=0.0, per_s=0.1))
    world.run(world.call(), refusal(503), OK)
    with pytest.raises(DhatuError):
        world.run(world.call(), refusal(503), OK)
    world.time.now += 10.0
    world.run(world.call(), refusal(503), OK)


def test_ten_calls_pay_for_one_retry() -> None:
    time = VirtualTime()
    budget = RetryBudget(BudgetPolicy(reserve=10.0, per_call=0.1, per_s=0.0), time.now_s)
    while budget.withdraw():
        pass
    for _ in range(9):
        budget.deposit()
    assert not budget.withdraw()
    budget.deposit()
    assert budget.withdraw()


@given(
    steps=st.lists(st.sampled_from(["deposit", "withdraw", "wait"]), max_size=200),
    reserve=st.integers(0, 5),
    per_call=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    per_s=st.sampled_from([0.0, 0.1, 2.0]),
)
def test_no_history_gives_more_than_the_stated_bound(
    steps: list[str], reserve: int, per_call: float, per_s: float
) -> None:
    time = VirtualTime()
    policy = BudgetPolicy(reserve=float(reserve), per_call=per_call, per_s=per_s)
    budget = RetryBudget(policy, time.now_s)
    calls, granted, began_s = 0, 0, time.now
    for step in steps:
        match step:
            case "deposit":
                budget.deposit()
                calls += 1
            case "withdraw":
                granted += budget.withdraw()
            case _:
                time.now += 0.3
    assert granted <= reserve + per_call * calls + per_s * (time.now - began_s) + 1e-6
