"""Roles: what they grant, and what an operation asks for beyond scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from dhatu_gateway.core.exchange import Principal
from dhatu_gateway.core.types import Role


class Roles:
    """The roles of the platform; the table says what each inherits."""

    def __init__(self, roles: Iterable[Role] = ()) -> None:
        self._by_name = {role.name: role for role in roles}

    def expand(self, principal: Principal) -> Principal:
        """The same caller with all that its roles stand for and grant.

        Called where a record of the store becomes a caller, and never for a token: its scopes may have been
        narrowed. A role that the table does not know grants nothing.
        """
        known = [self._by_name[name] for name in principal.roles if name in self._by_name]
        if not known:
            return principal
        return replace(
            principal,
            roles=principal.roles.union(*(role.holds for role in known)),
            scopes=principal.scopes.union(*(role.scopes for role in known)),
        )

    def check(self, names: Iterable[str]) -> None:
        """Refuse a role that a platform with roles does not know, by `ValueError`."""
        unknown = sorted(set(names) - self._by_name.keys())
        if unknown and self._by_name:
            raise ValueError(
                f"there is no role {unknown[0]!r}; platform.yaml describes {', '.join(sorted(self._by_name))}"
            )


def role_check(roles: tuple[str, ...]) -> Callable[[Principal], bool]:
    """Tells whether a caller holds one of the roles; any one of them is enough."""
    wanted = frozenset(roles)

    def holds(principal: Principal) -> bool:
        return not wanted.isdisjoint(principal.roles)

    return holds
