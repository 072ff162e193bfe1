"""The gateway's parts, put together for one table; those that a reload leaves as they are go on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.stage import build_authenticate, build_authorize
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.core.answering import Answering, KeptAnswers
from dhatu_gateway.core.clients import Clients
from dhatu_gateway.core.cors import CrossOrigin
from dhatu_gateway.core.degradation.admission import build_admission
from dhatu_gateway.core.degradation.maintenance import Maintenance
from dhatu_gateway.core.edge import Edge, EdgeParts
from dhatu_gateway.core.forward import Terminal, Way, build_forward
from dhatu_gateway.core.forward_headers import ForwardedHeaders
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.local import build_local
from dhatu_gateway.core.mocks.selection import is_mocked
from dhatu_gateway.core.mocks.terminal import build_mock
from dhatu_gateway.core.pipeline import Handler, Pipeline, Policies
from dhatu_gateway.core.placement import build_placement
from dhatu_gateway.core.router import Router
from dhatu_gateway.core.security_headers import SecurityHeaders
from dhatu_gateway.core.slices import Slices
from dhatu_gateway.core.tls.context import RenewedContext
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.upstream.tls import TlsSettings
from dhatu_gateway.core.validation.answers import build_answers
from dhatu_gateway.core.versions import VersionResolver
from dhatu_gateway.monitoring.endpoints import Monitoring, Shown
from dhatu_gateway.monitoring.metrics import EdgeCounts, Metrics
from dhatu_gateway.monitoring.upstreams import UpstreamFigures
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.reloading import Together
from dhatu_gateway.settings import Settings
from dhatu_gateway.system import SYSTEM, build_system
from dhatu_gateway.table import SchemasOf, Table
from dhatu_gateway.watching import Watched, build_monitoring
from dhatu_gateway.ways import Sharing, Ways, build_forwarders, open_ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a process is to the others, and to its clients."""

    lifecycle: Lifecycle
    tls: RenewedContext | None = None
    """What clients are met with."""
    together: Together | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a process opens once, whatever it is told to serve."""

    store: CredentialStore
    sharing: Sharing | None
    """Of breakers; None where there is nobody to share them with."""
    storage: MemoryStorage | RedisStorage
    kept: KeptAnswers
    maintenance: Maintenance | None
    around: Around
    metrics: Metrics = field(default_factory=Metrics)
    contexts: dict[tuple[str, TlsSettings], RenewedContext] = field(default_factory=dict)
    """What services are met with; each renews itself."""
    started_at_s: float = field(default_factory=time.monotonic)

    def contexts_of(self, settings: Settings) -> Mapping[str, RenewedContext]:
        """What each service is met with; the same, as long as the settings for it are."""
        for name, tls in settings.service_tls.items():
            if (name, tls) not in self.contexts:
                self.contexts[name, tls] = tls.context(name)
        return {name: self.contexts[name, tls] for name, tls in settings.service_tls.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The operations that the gateway answers itself."""

    operations: frozenset[tuple[str, str]]
    answer: Terminal
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a table is served with."""

    settings: Settings
    opened: Opened
    auth_settings: AuthSettings
    auth: Auth
    ways: Ways
    own: Own

    async def release(self, others: Sequence[Parts]) -> None:
        """Close what none of the others uses."""
        await _close(self.auth, self.ways, others)


async def _close(auth: Auth, ways: Ways, others: Sequence[Parts]) -> None:
    await ways.close([other.ways for other in others])
    if all(other.auth is not auth for other in others):
        await auth.close(keep_store=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A table that is served, and by what."""

    table: Table
    parts: Parts
    edge: Edge
    counts: EdgeCounts
    handlers: Mapping[str, Handler]
    """By operation."""
    related: Mapping[str, object]
    """What other routes of the table mean for one."""
    monitoring: Monitoring

    @property
    def in_flight(self) -> int:
        return self.counts.in_flight

    def take_over(self) -> None:
        """Let the gateway's own operations report on this one."""
        self.parts.own.shown.now = self.monitoring
        self.parts.ways.discovery.override(self.table.overrides)
        metrics, external = self.parts.opened.metrics, self.parts.auth.external
        metrics.keep(self.table.routes)
        if self.parts.opened.sharing is not None:
            self.parts.opened.sharing.share(self.parts.ways.deliveries)
        metrics.exchange(UpstreamFigures(self.parts.ways.upstreams, self.parts.ways.deliveries))
        metrics.provider_fetches = dict if external is None else external.fetches
        opened = self.parts.opened
        if opened.maintenance is not None:
            opened.maintenance.know(service.name for service in self.table.platform.services)
        ends = {"clients": opened.around.tls, **opened.contexts_of(self.parts.settings)}
        metrics.certificates = {name: _end_of(found) for name, found in ends.items() if found is not None}

    def handler(self, route: Route, table: Table, related: object) -> Handler | None:
        """The handler of a route of another table, if it says the same there, and others the same of it."""
        known = self.handlers.get(route.operation)
        if known is None or self.related.get(route.operation) != related:
            return None
        return known if self.table.key(known.route) == table.key(route) else None

    def unchanged(self, table: Table, parts: Parts) -> frozenset[str]:
        """The services whose routes would be composed just the same, so that handlers can go on."""
        mine = self.parts
        if mine.auth is not parts.auth or mine.own is not parts.own:
            return frozenset()
        return frozenset(
            name
            for name in (service.name for service in table.platform.services)
            if mine.ways.upstreams.get(name) is parts.ways.upstreams.get(name)
            and mine.ways.deliveries.roads.get(name) is parts.ways.deliveries.roads.get(name)
            and mine.ways.mirrors.get(name) is parts.ways.mirrors.get(name)
            and _rules(self.table.platform, name) == _rules(table.platform, name)
        )

    def pieces(self) -> list[object]:
        """What there is of each route."""
        return [*self.handlers.values(), *self.table.routes, *self.table.parts.values()]

    async def release(self, others: Sequence[Serving]) -> None:
        """Close what none of the others uses."""
        self.parts.opened.metrics.forget(self.counts)
        await self.parts.release([other.parts for other in others])


def _rules(platform: Platform, name: str) -> Platform:
    """What the handlers of a service read of the platform."""
    services = tuple(service for service in platform.services if service.name == name)
    return replace(platform, title="", version="", scopes=(), roles=(), services=services)


async def open_serving(
    opened: Opened, settings: Settings, table: Table, before: Serving | None = None
) -> Serving:
    """Compose a table, with the parts of what serves now as far as they are the same.

    Raises where the table asks for something that cannot be enforced; nothing is left open then.
    """
    auth_settings = _auth_settings(settings, table)
    same = before is not None and before.parts.auth_settings == auth_settings
    auth = before.parts.auth if before is not None and same else await open_auth(auth_settings, opened.store)
    known = before.parts.ways if before is not None else None
    ways = open_ways(settings, table.platform, opened.contexts_of(settings), known)
    watched = Watched(settings=settings, auth=auth, ways=ways, storage=opened.storage)
    monitoring = build_monitoring(table, watched, opened.metrics, opened.around.together)
    monitoring = replace(monitoring, lifecycle=opened.around.lifecycle, started_at_s=opened.started_at_s)
    try:
        if known is None or known.discovery is not ways.discovery:
            ways.discovery.override(table.overrides)  # those of one that serves change when this takes over
        await ways.discovery.open()
        own = await _own(table, auth, monitoring, before)
        parts = Parts(
            settings=settings,
            opened=opened,
            auth_settings=auth_settings,
            auth=auth,
            ways=ways,
            own=own,
        )
        return await _compose(table, parts, monitoring, before)
    except BaseException:
        await _close(auth, ways, [before.parts] if before is not None else ())
        opened.metrics.keep(before.table.routes if before is not None else ())
        raise


async def _own(table: Table, auth: Auth, monitoring: Monitoring, before: Serving | None) -> Own:
    operations = frozenset((route.method, route.path) for route in table.routes if route.service == SYSTEM)
    if before is not None and before.parts.auth is auth and before.parts.own.operations == operations:
        return before.parts.own
    shown = Shown(monitoring)
    # It makes a dozen models: too long for the event loop.
    application = await asyncio.to_thread(build_system, auth, shown, table.routes)
    return Own(operations=operations, answer=build_local(application), shown=shown)


async def _compose(table: Table, parts: Parts, monitoring: Monitoring, before: Serving | None) -> Serving:
    platform, slices = table.platform, Slices()
    # What all routes mean for one is found in one go: too long for the event loop, too.
    compose, relate = await asyncio.to_thread(_composer, table, parts)
    unchanged = before.unchanged(table, parts) if before is not None else frozenset[str]()
    router: Router[Handler] = Router()
    handlers: dict[str, Handler] = {}
    related: dict[str, object] = {}
    for route in table.routes:
        name, relation = route.operation, relate(route)
        known = before.handler(route, table, relation) if before and route.service in unchanged else None
        if known is not None:
            parts.ways.deliveries.adopt(route)
        handlers[name] = handler = known or compose(route)
        related[name] = relation
        router.add(route.method, route.path, handler)
        await slices.step()
    router.complete()
    versions, counts = VersionResolver(platform.versions, table.routes), parts.opened.metrics.edge()
    edge = Edge(
        EdgeParts(
            router=router,
            versions=versions,
            cors=CrossOrigin(platform.cors),
            clients=Clients(parts.settings.clients),
            metrics=counts,
            security_headers=SecurityHeaders(platform.security_headers),
        )
    )
    return Serving(
        table=table,
        parts=parts,
        edge=edge,
        counts=counts,
        handlers=handlers,
        related=related,
        monitoring=monitoring,
    )


def _composer(table: Table, parts: Parts) -> tuple[Callable[[Route], Handler], Callable[[Route], object]]:
    """What composes a route, or raises for what cannot be enforced, and what others mean for it."""
    platform, opened, settings = table.platform, parts.opened, parts.settings
    metrics = opened.metrics
    policies = Policies(
        authenticate=lambda route: build_authenticate(
            route, platform.security_schemes, parts.auth.authenticator, parts.auth.certificates
        ),
        authorize=build_authorize,
        rate_limit=lambda route: build_rate_limit(route, opened.storage, metrics.watch_limit),
        admit=lambda route: build_admission(
            route, metrics, max_in_flight=settings.max_in_flight, maintenance=opened.maintenance
        ),
    )
    schemas = SchemasOf(table)
    pipeline = Pipeline(platform, table.routes, schemas, policies, metrics)
    answering = Answering(platform, table.routes, opened.kept)
    terminal = _terminals(table, parts, schemas)

    def compose(route: Route) -> Handler:
        end = terminal(route)
        if not is_mocked(route, settings.mocked):  # what is made up is not kept
            end = answering.wrap(route, end)
        return pipeline.compose(route, end, metrics.recorder(route))

    return compose, lambda route: (pipeline.successor(route), answering.forgets(route))


def _terminals(table: Table, parts: Parts, schemas: SchemasOf) -> Callable[[Route], Terminal]:
    platform, metrics, identity = table.platform, parts.opened.metrics, parts.auth.upstream_identity
    upstreams, mocked = parts.ways.upstreams, parts.settings.mocked
    headers = {name: ForwardedHeaders(platform, identity.for_service(name)) for name in upstreams}
    places = {
        service.name: build_placement(service.upstream.balance, random.random)
        for service in platform.services
    }
    forwarder = build_forwarders(parts.ways, parts.settings, platform.header_prefix, metrics)

    attempt_field = f"{platform.header_prefix}Attempt".lower().encode("ascii")

    def terminal(route: Route) -> Terminal:
        if route.service == SYSTEM:
            return parts.own.answer
        if is_mocked(route, mocked):
            return build_mock(route, schemas(route), platform.header_prefix)
        way = Way(
            upstream=forwarder(route),
            headers=headers[route.service],
            watched=build_answers(route, schemas(route), metrics),
            place=places[route.service],
            attempt_field=attempt_field,
        )
        return build_forward(route, way)

    return terminal


def _auth_settings(settings: Settings, table: Table) -> AuthSettings:
    return AuthSettings(
        keys=settings.jwt_keys,
        policy=TokenPolicy(access_lifetime_s=settings.jwt_lifetime_s),
        roles=table.platform.roles,
        providers=settings.providers,
        client_certificates_file=settings.client_certificates_file,
    )


def _end_of(context: RenewedContext) -> Callable[[], float | None]:
    def end() -> float | None:
        validity = context.validity()
        return None if validity is None else validity.not_after_s

    return end
