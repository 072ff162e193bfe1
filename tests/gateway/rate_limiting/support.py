"""What the tests of limits share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from dhatu_gateway.core.exchange import Exchange, Principal, Stage
from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from gateway.support import validate
from hypothesis import strategies as st

LIMIT = RateLimit(
    name="default",
    algorithm="token_bucket",
    limit=60,
    window_s=60.0,
    per="",
    burst=2,
    cost=1,
    lease=1,
    by="principal",
    header="",
    across="operation",
    roles=(),
    except_roles=(),
    shadow=False,
    charge_refused=False,
    on_store_failure="local",
)
ROUTE = Route(
    operation="corpus.search",
    service="corpus",
    version="v1",
    method="GET",
    path="/api/v1/corpus/search",
    parameters=(),
    body=None,
    answers=(),
    security=(),
    roles=(),
    timeout_s=5.0,
    max_body_bytes=0,
    rate_limits=(LIMIT,),
    validate=validate(),
    deprecated=False,
    sunset="",
    cors=None,
    networks=None,
)
WINDOWED = ("token_bucket", "gcra", "sliding_log", "sliding_window")
ALGORITHM_NAMES = (*WINDOWED, "quota")


@st.composite
def countable(draw: st.DrawFn, algorithms: tuple[str, ...] = ALGORITHM_NAMES) -> RateLimit:
    """Limits of every algorithm that can be counted."""
    algorithm: Any = draw(st.sampled_from(algorithms))
    limit = draw(st.integers(1, 60))
    window_s = draw(st.floats(0.01, 86_400))
    burst = draw(st.integers(1, 60))
    cost = draw(st.integers(1, min(limit, burst, 5)))
    per: Any = draw(st.sampled_from(["day", "month"])) if algorithm == "quota" else ""
    return replace(
        LIMIT, algorithm=algorithm, limit=limit, window_s=window_s, per=per, burst=burst, cost=cost
    )


class Clock:
    """Monotonic time that tests set."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Watched:
    """Notes what limits in shadow mode would have refused."""

    seen: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def __call__(self, operation: str, limit: str) -> None:
        self.seen.append((operation, limit))


def limit(**changes: Any) -> RateLimit:
    """The limit above, changed; what follows from a change is changed along."""
    if changes.get("by") == "service":
        changes.setdefault("across", "service")
    if changes.get("algorithm") == "quota":
        changes.setdefault("per", "day")
    if changes.get("algorithm") == "concurrency":
        changes = {"window_s": 0.0, "burst": changes.get("limit", LIMIT.limit)} | changes
    return replace(LIMIT, **changes)


def route(**changes: Any) -> Route:
    """The route above with another limit."""
    return replace(ROUTE, rate_limits=(limit(**changes),))


def several(*limits: RateLimit) -> Route:
    """The route above with these limits."""
    return replace(ROUTE, rate_limits=limits)


def stage_of(on: Route, storage: MemoryStorage | RedisStorage, clock: Clock | None = None) -> Stage:
    """The stage of a route that has limits."""
    made = build_rate_limit(on, storage, Watched(), clock or Clock())
    assert made is not None
    return made


def caller(
    name: str = "ada",
    address: str = "192.0.2.1",
    *,
    kind: Any = "user",
    fields: dict[bytes, bytes] | None = None,
    roles: tuple[str, ...] = (),
) -> Exchange:
    """A request by somebody, or by nobody in particular where the name is empty."""
    made = Exchange()
    made.principal = (
        Principal(id=f"{kind}:{name}", kind=kind, scopes=frozenset(), roles=frozenset(roles))
        if name
        else None
    )
    made.client_address = made.client_network = address
    made.fields = fields or {}
    made.response_headers = []
    made.on_end = []
    return made


def ended(on: Exchange) -> None:
    """The exchange is over, as the handler of its route says so."""
    for give_back in on.on_end:
        give_back()
    on.on_end = []


async def run(stage: Stage | None, on: Exchange) -> Exchange:
    """Do what the pipeline does with a stage."""
    assert stage is not None
    later = stage(on)
    if later is not None:
        await later
    return on
