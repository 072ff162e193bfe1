"""Which operations are mocked."""

from __future__ import annotations

from collections.abc import Iterable, Set

from dhatu_gateway.core.types import Route


def is_mocked(route: Route, names: Set[str]) -> bool:
    """Whether a route, or its whole service, is named."""
    return route.service in names or route.operation in names


def mocked_operations(routes: Iterable[Route], names: Set[str]) -> tuple[str, ...]:
    """The operations that are named, sorted; raises `ValueError` for a name that is nobody's."""
    known = list(routes)
    unknown = names - {name for route in known for name in (route.service, route.operation)}
    if unknown:
        raise ValueError(
            f"GATEWAY_MOCK: {', '.join(sorted(unknown))} is neither a service nor an operation; "
            "`dhatu-gateway routes` lists them"
        )
    return tuple(sorted(route.operation for route in known if is_mocked(route, names)))
