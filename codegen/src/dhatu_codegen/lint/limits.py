"""Limits that the gateway would refuse to count, found before it boots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api
from ..ir.operation import Operation
from ..ir.policy import LimitAlgorithm, RateLimit
from ..pointer import join

_MAX_EXACT: Final = 2**53
"""Integers below it are exact in Lua, where the shared limits are counted."""
_MAX_LOG: Final = 10_000
_MAX_SLOTS: Final = 100_000
_MAX_SLOTS_OF_ONE: Final = 100
_MIN_INTERVAL_US: Final = 100
_BURSTS: Final = ("token_bucket", "gcra")
_UNKNOWN_TO: Final[dict[LimitAlgorithm, tuple[str, ...]]] = {
    "token_bucket": ("per",),
    "gcra": ("per",),
    "sliding_log": ("burst", "per"),
    "sliding_window": ("burst", "per"),
    "quota": ("burst", "window_s"),
    "concurrency": ("burst", "window_s", "per", "lease", "charge_refused"),
}


def countable_limits(api: Api, diagnostics: Diagnostics) -> None:
    """DH047: a limit that says two things, or that its algorithm cannot count exactly."""
    document = Node.of(api.document)
    for operation in api.operations:
        place = _place(document, operation)
        for name in _repeated(operation.policy.rate_limit):
            _report(diagnostics, operation, place, f"two limits of the same callers are called {name!r}")
        if len({limit.lease > 1 for limit in operation.policy.rate_limit}) > 1:
            _report(diagnostics, operation, place, "either all of its limits have a lease, or none")
        for index, limit in enumerate(operation.policy.rate_limit):
            written = place and (place.at(f"/{index}") if isinstance(place.value, list) else place)
            if written is place and index:
                written = None  # it is a tier's
            for key in _UNKNOWN_TO.get(limit.algorithm, ()):
                if written and written.get(key):
                    text = f"the limit {limit.name!r} has `{key}`, which {limit.algorithm} does not know"
                    _report(diagnostics, operation, written, text)
            for fault in faults(limit):
                _report(diagnostics, operation, written, f"the limit {limit.name!r} {fault}")


def _repeated(limits: tuple[RateLimit, ...]) -> list[str]:
    """Names that the headers of one answer would hold twice; those of different tiers never meet."""
    open_to_all = [limit.name for limit in limits if not limit.roles and not limit.except_roles]
    by_roles = [(limit.name, limit.roles, limit.except_roles) for limit in limits]
    twice = {name for name, *_ in by_roles if name in open_to_all and _count(by_roles, name) > 1}
    return sorted(twice | {key[0] for key in by_roles if by_roles.count(key) > 1})


def _count(limits: list[tuple[str, tuple[str, ...], tuple[str, ...]]], name: str) -> int:
    return sum(limit[0] == name for limit in limits)


def _report(diagnostics: Diagnostics, operation: Operation, place: Node | None, fault: str) -> None:
    diagnostics.add("DH047", f"{operation.key}: {fault}", place.place if place else operation.source)


def _place(document: Node, operation: Operation) -> Node | None:
    """Where the limits are written; None where they are those of platform.yaml."""
    return document.at(join("paths", operation.path, operation.method.lower(), "x-dhatu", "rate_limit"))


def faults(limit: RateLimit) -> Iterator[str]:
    """What is wrong with a limit, as the end of a sentence; the gateway refuses the same."""
    if (limit.by == "header") != bool(limit.header):
        yield "needs both `by: header` and the name of the `header`"
    if limit.algorithm == "quota" and not limit.per:
        yield "is a quota, and needs `per: day` or `per: month`"
    if limit.by == "service" and limit.across == "operation":
        yield "counts by service, which is not one operation"
    if limit.algorithm == "concurrency" and (limit.lease > 1 or limit.charge_refused):
        yield "counts calls under way, which are neither taken ahead nor charged for refusals"
    elif limit.lease > 1 and (limit.shadow or limit.charge_refused):
        yield "cannot be leased: what is taken ahead can be neither watched nor charged for refusals"
    largest = limit.burst if limit.algorithm in _BURSTS else limit.limit
    if limit.lease > 1 and limit.cost * limit.lease > largest >= limit.cost:
        yield f"has a lease of {limit.lease}, and there are never more than {largest} to take at once"
    if limit.cost > largest:
        yield f"allows no call at all: one costs {limit.cost}, and there are never more than {largest}"
    yield from _uncountable(limit)


def _uncountable(limit: RateLimit) -> Iterator[str]:
    if limit.algorithm == "concurrency":
        if limit.limit > _MAX_SLOTS:
            yield f"is above {_MAX_SLOTS:,}, the most calls that are counted at once"
        if limit.cost > _MAX_SLOTS_OF_ONE:
            yield f"counts a call for more than {_MAX_SLOTS_OF_ONE}, the most that one may hold at once"
        return
    if limit.algorithm == "quota":
        if limit.limit + limit.cost >= _MAX_EXACT:
            yield "is too large to be exact: a quota must be below 9e15"
        return
    window_us = round(limit.window_s * 1_000_000)
    if not 1 <= window_us < _MAX_EXACT // 4:
        yield f"has a window of {limit.window_s:g} s, which cannot be counted in microseconds"
        return
    interval_us = -(-window_us // limit.limit)
    match limit.algorithm:
        case "token_bucket" if (limit.burst + limit.cost) * window_us >= _MAX_EXACT:
            yield "is too large to be exact: (burst + cost) * window_s must be below 9e9; take gcra"
        case "gcra" if interval_us < _MIN_INTERVAL_US:
            yield f"is too fast for gcra, which tells calls apart by {_MIN_INTERVAL_US} us; take token_bucket"
        case "gcra" if limit.burst * interval_us >= _MAX_EXACT // 4:
            yield "is too slow: burst * window_s / limit must be below 2e9"
        case "sliding_log" if limit.limit > _MAX_LOG:
            yield f"is above {_MAX_LOG:,}, the most calls that a log remembers; take sliding_window or gcra"
        case "sliding_window" if 2 * limit.limit * window_us >= _MAX_EXACT:
            yield "is too large to be exact: limit * window_s must be below 4.5e9; take gcra"
        case _:
            pass
