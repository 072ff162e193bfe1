"""What the tests of limits share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dhatu_gateway.core.exchange import Exchange, Principal, Stage
from dhatu_gateway.core.types import RateLimit, Route
from gateway.support import validate

LIMIT = RateLimit(
    algorithm="token_bucket", limit=60, window_s=60.0, burst=2, by="principal", on_store_failure="local"
)
ROUTE = Route(
    operation="corpus.search",
    service="corpus",
    version="v1",
    method="GET",
    path="/api/v1/corpus/search",
    parameters=(),
    body=None,
    security=(),
    roles=(),
    timeout_s=5.0,
    max_body_bytes=0,
    rate_limit=LIMIT,
    validate=validate(),
    deprecated=False,
    sunset="",
)


class Clock:
    """Monotonic time that tests set."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def route(**changes: Any) -> Route:
    """The route above with another limit."""
    return replace(ROUTE, rate_limit=replace(LIMIT, **changes))


def caller(name: str = "ada", address: str = "192.0.2.1") -> Exchange:
    """A request by a user, or by nobody in particular where the name is empty."""
    made = Exchange()
    made.principal = (
        Principal(id=f"user:{name}", kind="user", scopes=frozenset(), roles=frozenset()) if name else None
    )
    made.client_address = made.client_network = address
    made.response_headers = []
    return made


async def run(stage: Stage | None, on: Exchange) -> Exchange:
    """Do what the pipeline does with a stage."""
    assert stage is not None
    later = stage(on)
    if later is not None:
        await later
    return on
