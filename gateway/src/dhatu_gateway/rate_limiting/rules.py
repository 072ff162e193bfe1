"""The limits of one call, taken together: all of them are charged, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.rate_limiting.algorithms import algorithm
from dhatu_gateway.rate_limiting.algorithms.interface import Algorithm, State
from dhatu_gateway.rate_limiting.decision import Decision

TOGETHER = "limits"
"""Where a cluster keeps all that may be asked for together with something else."""


class Rule(NamedTuple):
    """One limit of a route, ready to be counted."""

    policy: RateLimit
    algorithm: Algorithm
    cost: int
    watched: bool
    """In shadow mode: it is counted, and refuses nobody."""
    charge_refused: bool
    space: str
    """Keeps callers apart from those of other limits; two rules that count the same calls have the same."""
    tag: str
    """What Redis Cluster places keys by: the keys of one call must lie together."""

    @property
    def plain(self) -> bool:
        """Whether it counts and refuses every call, and charges those that it allows."""
        policy = self.policy
        picks = policy.by == "key" or policy.roles or policy.except_roles
        return not (picks or self.watched or self.charge_refused)


def rules_of(route: Route) -> tuple[Rule, ...]:
    """Compile a route's limits; raises `ValueError` for one that cannot be counted."""
    # A limit that stands alone needs no company: its callers spread over a whole cluster.
    alone = len(route.rate_limits) == 1
    return tuple(_rule(route, limit, alone) for limit in route.rate_limits)


def _rule(route: Route, limit: RateLimit, alone: bool) -> Rule:
    scope = {"operation": route.operation, "service": route.service, "api": ""}[limit.across]
    # Another algorithm or window keeps other figures. A limit that only grew goes on where it was.
    window = limit.per or f"{limit.window_s:g}"
    return Rule(
        policy=limit,
        algorithm=algorithm(limit),
        cost=limit.cost,
        watched=limit.shadow,
        charge_refused=limit.charge_refused,
        space=f"{limit.across}:{scope}:{limit.name}:{limit.algorithm}/{window}",
        tag="" if alone and limit.across == "operation" else TOGETHER,
    )


def shared_out(rule: Rule, share: float) -> Rule:
    """The part of a limit that one process allows by itself; at least one call."""
    policy = rule.policy
    part = replace(
        policy,
        limit=max(rule.cost, int(policy.limit * share)),
        burst=max(rule.cost, int(policy.burst * share)),
    )
    return rule._replace(algorithm=algorithm(part))


def take(
    rules: Sequence[Rule], states: Sequence[State], now_us: int, calls: int = 1
) -> tuple[int, Sequence[State], Sequence[Decision]]:
    """Charge calls to every rule, or to none where one of them refuses; as `lua/limits.lua` does.

    Returns how many calls were charged: as many as were asked for, or one where that was too much, or none. A
    rule that is only watched refuses nobody, and one with `charge_refused` is charged all the same.
    """
    stepped = [
        rule.algorithm.step(state, now_us, rule.cost * calls)
        for rule, state in zip(rules, states, strict=True)
    ]
    refused = any(
        decision.wait_us and not rule.watched for rule, (_, decision) in zip(rules, stepped, strict=True)
    )
    if refused and calls > 1:
        return take(rules, states, now_us)
    after = [
        step if not (refused or step[1].wait_us) else _refused(rule, state, step, (now_us, calls))
        for rule, state, step in zip(rules, states, stepped, strict=True)
    ]
    return 0 if refused else calls, [state for state, _ in after], [decision for _, decision in after]


def _refused(
    rule: Rule, state: State, step: tuple[State, Decision], asked: tuple[int, int]
) -> tuple[State, Decision]:
    """What becomes of a rule that this call is not to be charged to: unless it says so, nothing."""
    now_us, calls = asked
    if rule.charge_refused:
        state = rule.algorithm.charge(state, now_us, rule.cost * calls)
    elif step[1].wait_us:
        return state, step[1]
    _, looked = rule.algorithm.step(state, now_us, 0)
    return state, Decision(step[1].wait_us, looked.remaining, looked.reset_us)
