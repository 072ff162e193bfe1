"""The limits of an operation: its own, and those of the tiers of platform.yaml where it asks who calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, cast

from ..document import Node
from ..ir.policy import LimitAcross, LimitAlgorithm, LimitBy, RateLimit

_LONGEST_S: Final = {"day": 86_400.0, "month": 31 * 86_400.0}


def parse_limits(written: Node | None, tiers: Node | None) -> tuple[RateLimit, ...]:
    """`written` is x-dhatu's `rate_limit`, `tiers` those of platform.yaml that apply; both are checked."""
    return (*_limits(written), *_of_tiers(tiers))


def _limits(node: Node | None) -> tuple[RateLimit, ...]:
    if node is None or node.value is None:
        return ()
    written = node.elements() if isinstance(node.value, list) else (node,)
    return tuple(_limit(item) for item in written)


def _of_tiers(tiers: Node | None) -> tuple[RateLimit, ...]:
    """The first tier with a role of the caller's counts the call, so each one leaves out those before it."""
    found: list[RateLimit] = []
    before: tuple[str, ...] = ()
    for _, tier in tiers.members() if tiers else ():
        roles = tier.texts("roles")
        found += [
            replace(limit, across="api", roles=roles, except_roles=before)
            for limit in _limits(tier.get("limits"))
        ]
        before = (*before, *roles)
    return tuple(found)


def _limit(node: Node) -> RateLimit:
    limit = _integer(node, "limit", 1)
    per = node.text("per")
    algorithm = cast(LimitAlgorithm, node.text("algorithm", "token_bucket"))
    window_s = 0.0 if algorithm == "concurrency" else float(_number(node, "window_s", 60))
    by = cast(LimitBy, node.text("by", "principal"))
    return RateLimit(
        name=node.text("name", "default"),
        algorithm=algorithm,
        limit=limit,
        window_s=_LONGEST_S.get(per) or window_s,
        per=cast(Literal["", "day", "month"], per),
        burst=_integer(node, "burst", limit),
        cost=_integer(node, "cost", 1),
        lease=_integer(node, "lease", 1),
        by=by,
        header=node.text("header"),
        across=cast(LimitAcross, node.text("across", "service" if by == "service" else "operation")),
        roles=node.texts("roles"),
        except_roles=node.texts("except_roles"),
        shadow=node.flag("shadow"),
        charge_refused=node.flag("charge_refused"),
        on_store_failure=cast(Literal["open", "closed", "local"], node.text("on_store_failure", "local")),
    )


def _integer(node: Node, key: str, otherwise: int) -> int:
    return int(_number(node, key, otherwise))


def _number(node: Node, key: str, otherwise: float) -> float:
    found = node.get(key)
    return found.value if found is not None and isinstance(found.value, (int, float)) else otherwise
