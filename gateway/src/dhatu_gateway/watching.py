"""What the gateway's own operations report on: stores, services, and where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.core.discovery.differences import Contract
from dhatu_gateway.core.discovery.drift import DriftReports
from dhatu_gateway.core.discovery.report import DiscoveryReport
from dhatu_gateway.core.discovery.standing import Standing
from dhatu_gateway.core.mocks.selection import mocked_operations
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.upstream.service import Upstream
from dhatu_gateway.monitoring.endpoints import Monitoring
from dhatu_gateway.monitoring.health import (
    Check,
    EndpointView,
    Health,
    ServiceView,
    SourceView,
    service_check,
    store_check,
)
from dhatu_gateway.monitoring.metrics import Metrics
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.reloading import Together
from dhatu_gateway.settings import Settings
from dhatu_gateway.system import SYSTEM
from dhatu_gateway.table import Table
from dhatu_gateway.ways import Ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is looked at."""

    settings: Settings
    auth: Auth
    ways: Ways
    storage: MemoryStorage | RedisStorage


def build_monitoring(
    table: Table, watched: Watched, metrics: Metrics, together: Together | None
) -> Monitoring:
    """The views of a table and of what it is served with."""
    ways, settings = watched.ways, watched.settings
    services = [
        _service_view(upstream, ways.discovery.standings[name]) for name, upstream in ways.upstreams.items()
    ]
    operations = {
        name: [(route.method, route.path) for route in table.routes if route.service == name]
        for name in ways.upstreams
    }
    sockets = [(route.method, route.path) for route in table.routes if route.websocket is not None]
    drift = DriftReports(operations, unlisted=sockets, contract=_contract(table))
    monitoring = Monitoring(
        title=table.platform.title,
        version=table.platform.version,
        routes=len(table.routes),
        services=services,
        health=Health([*_checks(watched), *map(service_check, services)]),
        discovery=DiscoveryReport(ways.upstreams, drift, ways.discovery.catalog),
        metrics=metrics if settings.metrics else None,
        table=table.digest,
        mocked=mocked_operations(
            [route for route in table.routes if route.service != SYSTEM], settings.mocked
        ),
    )
    if together is None:
        return monitoring
    return replace(
        monitoring,
        reload=together.reload,
        workers=together.workers,
        registration=together.registration,
        overrides=together.overrides,
    )


def _contract(table: Table) -> Contract:
    def document_of(route: Route) -> object:
        part = table.parts.get(route.operation)
        return table.document if part is None else orjson.loads(part.document())

    return Contract([route for route in table.routes if route.service != SYSTEM], document_of)


def _checks(watched: Watched) -> list[Check]:
    auth, storage = watched.auth, watched.storage
    checks = [store_check("credentials", auth.store.ping, essential=True)]
    if isinstance(storage, RedisStorage):
        checks.append(store_check("redis", storage.ping, essential=False))
    if auth.external is not None:
        checks += [
            store_check(f"provider:{found.provider.name}", found.ping, essential=False)
            for found in auth.external.providers
        ]
    return checks


def _service_view(upstream: Upstream, standing: Standing) -> ServiceView:
    def endpoints() -> list[EndpointView]:
        return [
            EndpointView(endpoint=member.endpoint, in_flight=member.in_flight, well=member.health.is_well)
            for member in upstream.members()
        ]

    def source() -> SourceView:
        return SourceView(
            kind=standing.kind,
            good_at_s=standing.good_at_s,
            failures=standing.failures,
            error=standing.error,
            restored=standing.restored,
        )

    return ServiceView(name=upstream.service, endpoints=endpoints, source=source)
