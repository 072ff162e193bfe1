"""The composition root: the gateway's parts, put together once per process."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson

from dhatu_gateway.auth.audit import keep_trimmed
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.stage import build_authenticate, build_authorize
from dhatu_gateway.auth.store.opening import open_store
from dhatu_gateway.core.answering import Answering, KeptAnswers, kept_answers
from dhatu_gateway.core.clients import Clients
from dhatu_gateway.core.cors import CrossOrigin
from dhatu_gateway.core.degradation.admission import build_admission
from dhatu_gateway.core.degradation.maintenance import Maintenance
from dhatu_gateway.core.edge import Edge, EdgeParts
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.forward import Terminal, Way, build_forward
from dhatu_gateway.core.forward_headers import ForwardedHeaders
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.local import build_local
from dhatu_gateway.core.pipeline import Handler, Pipeline, Policies
from dhatu_gateway.core.placement import build_placement
from dhatu_gateway.core.router import Router
from dhatu_gateway.core.security_headers import SecurityHeaders
from dhatu_gateway.core.tls.context import RenewedContext
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.service import Upstream
from dhatu_gateway.core.validation.answers import build_answers
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.versions import VersionResolver
from dhatu_gateway.monitoring.endpoints import Monitoring
from dhatu_gateway.monitoring.health import Health, ServiceView, service_check, store_check
from dhatu_gateway.monitoring.metrics import Metrics
from dhatu_gateway.monitoring.upstreams import UpstreamFigures
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.settings import Settings
from dhatu_gateway.shared.link import Link, server_at
from dhatu_gateway.system import SYSTEM, build_system
from dhatu_gateway.ways import Ways, build_forwarders, open_ways, share_breakers

_logger = logging.getLogger("dhatu.app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the gateway serves: the generated tables, or a test's own."""

    platform: Platform
    routes: tuple[Route, ...]
    document: dict[str, Any]
    """The merged OpenAPI document."""


def generated_table() -> Table:
    """Return the table that the specification says."""
    from dhatu_gateway.generated.routes import PLATFORM, ROUTES

    document = orjson.loads(files("dhatu_gateway.generated").joinpath("openapi.json").read_bytes())
    return Table(platform=PLATFORM, routes=ROUTES, document=document)


@asynccontextmanager
async def open_edge(
    settings: Settings,
    table: Table,
    lifecycle: Lifecycle | None = None,
    tls: RenewedContext | None = None,
) -> AsyncGenerator[Edge]:
    """Open the stores and connections, and yield the request path; closes them in the end.

    `tls` is what clients are met with, watched along with the certificates for services.
    """
    for variable in settings.without_effect:
        _logger.warning("%s is set but has no effect yet", variable)
    async with AsyncExitStack() as stack:
        contexts = {name: tls.context(name) for name, tls in settings.service_tls.items()}
        ways = open_ways(settings, table.platform, contexts, stack)
        auth = await open_auth(_auth_settings(settings, table), await open_store(settings.database))
        stack.push_async_callback(auth.close)
        if settings.audit_keep_days:
            _run_beside(stack, keep_trimmed(auth.store, settings.audit_keep_days, wall_clock=auth.wall_clock))
        link = _link(settings)
        if link is not None:
            stack.push_async_callback(link.close)
            await link.open()
        edge = build_edge(
            table,
            Parts(
                settings=settings,
                auth=auth,
                lifecycle=lifecycle or Lifecycle(),
                certificates=contexts if tls is None else {"clients": tls, **contexts},
                storage=_limit_storage(settings, link),
                kept=kept_answers(link),
                maintenance=_maintenance(settings, stack),
                ways=ways,
            ),
        )
        if link is not None:
            stack.push_async_callback(share_breakers(ways.deliveries, link).close)
        yield edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What has been opened."""

    settings: Settings
    auth: Auth
    storage: MemoryStorage | RedisStorage
    kept: KeptAnswers
    maintenance: Maintenance | None
    ways: Ways
    lifecycle: Lifecycle
    certificates: Mapping[str, RenewedContext]
    """By whom they are shown to: clients, or a service."""


def build_edge(table: Table, parts: Parts) -> Edge:
    """Compose every route; raises where the table asks for something that cannot be enforced."""
    platform = table.platform
    metrics = Metrics(table.routes)
    metrics.add(UpstreamFigures(parts.ways.upstreams, parts.ways.deliveries))
    if parts.auth.external is not None:
        metrics.provider_fetches = parts.auth.external.fetches
    metrics.certificates = {name: _end_of(context) for name, context in parts.certificates.items()}
    policies = Policies(
        authenticate=lambda route: build_authenticate(
            route, platform.security_schemes, parts.auth.authenticator, parts.auth.certificates
        ),
        authorize=build_authorize,
        rate_limit=lambda route: build_rate_limit(route, parts.storage, metrics.watch_limit),
        admit=lambda route: build_admission(
            route,
            metrics,
            max_in_flight=parts.settings.max_in_flight,
            maintenance=parts.maintenance,
        ),
    )
    schemas = Schemas(table.document)
    pipeline = Pipeline(platform, table.routes, schemas, policies, metrics)
    identity = parts.auth.upstream_identity
    headers = {name: ForwardedHeaders(platform, identity.for_service(name)) for name in parts.ways.upstreams}
    places = {
        service.name: build_placement(service.upstream.balance, random.random)
        for service in platform.services
    }
    system = build_local(build_system(parts.auth, _monitoring(table, parts, metrics), table.routes))

    forwarder = build_forwarders(parts.ways, parts.settings, platform.header_prefix, metrics)

    def terminal(route: Route) -> Terminal:
        if route.service == SYSTEM:
            return system
        way = Way(
            upstream=forwarder(route),
            headers=headers[route.service],
            watched=build_answers(route, schemas, metrics),
            place=places[route.service],
            attempt_field=f"{platform.header_prefix}Attempt".lower().encode("ascii"),
        )
        return build_forward(route, way)

    answering = Answering(platform, table.routes, parts.kept)

    def handler(route: Route) -> Handler:
        return pipeline.compose(route, answering.wrap(route, terminal(route)), metrics.recorder(route))

    handlers = [(route.method, route.path, handler(route)) for route in table.routes]
    return Edge(
        EdgeParts(
            router=Router(handlers),
            versions=VersionResolver(platform.versions, table.routes),
            cors=CrossOrigin(platform.cors),
            clients=Clients(parts.settings.clients),
            metrics=metrics,
            security_headers=SecurityHeaders(platform.security_headers),
        )
    )


class Gateway:
    """The gateway as an ASGI application: opens everything on startup and closes it on shutdown."""

    def __init__(
        self,
        settings: Settings,
        table: Table,
        *,
        lifecycle: Lifecycle | None = None,
        finish: Callable[[], None] = lambda: None,
    ) -> None:
        """`finish` is called last, when nothing more will be logged."""
        self.lifecycle = lifecycle or Lifecycle(settings.drain)
        self._settings = settings
        self._table = table
        self._finish = finish
        self._edge: Edge | None = None
        self.tls = None if settings.tls is None else settings.tls.context()
        """What clients are met with; None without TLS."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and self._edge is not None:
            return self._edge(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        raise RuntimeError(f"the gateway serves no {scope['type']}, or has not been started")

    async def _live(self, receive: Receive, send: Send) -> None:
        try:
            await receive()
            async with AsyncExitStack() as stack:
                try:
                    opening = open_edge(self._settings, self._table, self.lifecycle, self.tls)
                    self._edge = await stack.enter_async_context(opening)
                except Exception as error:
                    expected = isinstance(error, (AuthError, ValueError))
                    _logger.error("the gateway cannot start: %s", error, exc_info=not expected)
                    await send({"type": "lifespan.startup.failed"})
                    return
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
        finally:
            self._finish()


def _auth_settings(settings: Settings, table: Table) -> AuthSettings:
    return AuthSettings(
        keys=settings.jwt_keys,
        policy=TokenPolicy(access_lifetime_s=settings.jwt_lifetime_s),
        roles=table.platform.roles,
        providers=settings.providers,
        client_certificates_file=settings.client_certificates_file,
    )


def _maintenance(settings: Settings, stack: AsyncExitStack) -> Maintenance | None:
    """Follow the file that says what is out of use, if there is to be one."""
    if settings.maintenance_file is None:
        return None
    maintenance = Maintenance(settings.maintenance_file, frozenset(settings.endpoints) | {SYSTEM})
    maintenance.look()
    _run_beside(stack, maintenance.follow())
    return maintenance


def _run_beside(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Run something until the stack is closed."""
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)


def _link(settings: Settings) -> Link | None:
    if settings.redis_url is None:
        return None
    return Link(server_at(settings.redis_url, settings.redis_password))


def _limit_storage(settings: Settings, link: Link | None) -> MemoryStorage | RedisStorage:
    return MemoryStorage() if link is None else RedisStorage(link, local_share=settings.limit_local_share)


def _monitoring(table: Table, parts: Parts, metrics: Metrics) -> Monitoring:
    services = [
        ServiceView(
            name=name,
            endpoints=parts.settings.endpoints[name],
            in_flight=_in_flight(upstream),
            is_well=_is_well(upstream),
        )
        for name, upstream in parts.ways.upstreams.items()
    ]
    checks = [store_check("credentials", parts.auth.store.ping, essential=True)]
    if isinstance(parts.storage, RedisStorage):
        checks.append(store_check("redis", parts.storage.ping, essential=False))
    if parts.auth.external is not None:
        checks += [
            store_check(f"provider:{opened.provider.name}", opened.ping, essential=False)
            for opened in parts.auth.external.providers
        ]
    checks += map(service_check, services)
    return Monitoring(
        title=table.platform.title,
        version=table.platform.version,
        routes=len(table.routes),
        services=services,
        health=Health(checks),
        metrics=metrics if parts.settings.metrics else None,
        lifecycle=parts.lifecycle,
    )


def _in_flight(upstream: Upstream) -> Callable[[Endpoint], int]:
    return lambda endpoint: dict(upstream.in_flight()).get(endpoint.authority, 0)


def _is_well(upstream: Upstream) -> Callable[[Endpoint], bool]:
    def is_well(endpoint: Endpoint) -> bool:
        return all(member.health.is_well for member in upstream.members() if member.endpoint == endpoint)

    return is_well


def _end_of(context: RenewedContext) -> Callable[[], float | None]:
    def end() -> float | None:
        validity = context.validity()
        return None if validity is None else validity.not_after_s

    return end
