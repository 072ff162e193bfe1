"""What the tests of credentials share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.types import Credential, Requirement, Role, Route, SecurityScheme
from gateway.support import validate

SECRET = "a secret of at least thirty-two bytes"
BEARER = SecurityScheme(key="bearer", kind="bearer", location="header", parameter="Authorization")
API_KEY = SecurityScheme(key="apiKey", kind="api_key", location="header", parameter="X-API-Key")
SCHEMES = (BEARER, API_KEY)

ROLES = (
    Role(name="reader", holds=("reader",), scopes=("corpus:read",)),
    Role(name="editor", holds=("editor", "reader"), scopes=("corpus:read", "corpus:write")),
)

OPEN_ROUTE = Route(
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
    rate_limits=(),
    validate=validate(),
    deprecated=False,
    sunset="",
    cors=None,
    networks=None,
)


@dataclass
class Clock:
    """Wall time; the tests use the same figure for monotonic time."""

    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def bearer(*scopes: str) -> Credential:
    return Credential(scheme="bearer", scopes=scopes)


def api_key(*scopes: str) -> Credential:
    return Credential(scheme="apiKey", scopes=scopes)


def route(*security: Requirement, roles: tuple[str, ...] = ()) -> Route:
    return replace(OPEN_ROUTE, security=security, roles=roles)


def exchange(fields: dict[bytes, bytes], now_s: float) -> Exchange:
    made = Exchange()
    made.fields = fields
    made.principal = None
    made.started_at_s = now_s
    made.response_headers = []
    return made


async def run(stage: Stage | None, on: Exchange) -> Exchange:
    """Do what the pipeline does with a stage."""
    if stage is not None:
        later = stage(on)
        if later is not None:
            await later
    return on
