"""What to compare, one function for each group of rules; the order is that of `RULES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..sides import Comparison
from . import gateway, hints, operations, payloads, sdk, security, servers

RULES: Final[tuple[Callable[[Comparison], None], ...]] = (
    operations.removed_and_added,
    operations.lifecycle,
    operations.shadowed_routes,
    payloads.exchanges,
    hints.schemas,
    security.requirements,
    security.schemes,
    gateway.roles,
    gateway.policies,
    servers.servers,
    sdk.names,
    sdk.components,
    sdk.arguments,
    sdk.tokens,
    sdk.packages,
)
