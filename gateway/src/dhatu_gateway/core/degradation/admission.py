"""The stage that refuses calls for what is not about them: too many others, or maintenance."""

from __future__ import annotations

from typing import Final, Protocol

from dhatu_gateway.core.degradation.maintenance import Maintenance
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Priority, Route

SHARES: Final[dict[Priority, float | None]] = {"low": 0.5, "normal": 0.8, "high": 1.0, "critical": None}
"""Of all calls that the gateway takes at once, those before which calls of a priority are refused.

What is left is for calls that matter more: a flood of one kind leaves room for the others.
"""


class Load(Protocol):
    """Counts the calls under way."""

    @property
    def in_flight(self) -> int: ...


def build_admission(
    route: Route, load: Load, *, max_in_flight: int, maintenance: Maintenance | None
) -> Stage | None:
    """Refuse the calls of a route while there is no room; None where none are ever refused.

    `max_in_flight` is how many calls this process takes at once, 0 for any number.
    """
    share = SHARES[route.priority]
    most = int(max_in_flight * share) if share is not None else 0
    if not most and maintenance is None:
        return None
    service = route.service

    def admit(exchange: Exchange) -> None:
        if most and load.in_flight > most:
            raise ProblemError(
                "overloaded",
                "The gateway has more calls than it can take; try again in a moment.",
                headers=[(b"retry-after", b"1")],
            )
        if maintenance is not None and maintenance.window is not None:
            maintenance.window.check(service)

    return admit
