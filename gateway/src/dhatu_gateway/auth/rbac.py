"""Roles: what an operation asks for beyond scopes."""

from __future__ import annotations

from collections.abc import Callable

from dhatu_gateway.core.exchange import Principal


def role_check(roles: tuple[str, ...]) -> Callable[[Principal], bool]:
    """Tells whether a caller holds one of the roles; any one of them is enough."""
    wanted = frozenset(roles)

    def holds(principal: Principal) -> bool:
        return not wanted.isdisjoint(principal.roles)

    return holds
