"""The ways to the services, and to the mirrors beside them."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from dhatu_gateway.core.deliveries import Deliveries
from dhatu_gateway.core.discovery.discovery import Discovery
from dhatu_gateway.core.discovery.origin import Origin
from dhatu_gateway.core.forward import Forwarder
from dhatu_gateway.core.mirror import Mirror, Mirrored
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.upstream.breaker.sharing import SharedBreakers
from dhatu_gateway.core.upstream.policy import Connections, UpstreamPolicy
from dhatu_gateway.core.upstream.service import Surroundings, Upstream
from dhatu_gateway.core.upstream.types import UpstreamLimits
from dhatu_gateway.monitoring.metrics import Metrics
from dhatu_gateway.settings import Settings
from dhatu_gateway.shared.link import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """By service; the gateway's own operations need none."""

    upstreams: Mapping[str, Upstream]
    mirrors: Mapping[str, Upstream]
    """Of those services that have one."""
    deliveries: Deliveries
    """What stands before the upstreams."""
    discovery: Discovery
    """Says to the upstreams where their services are."""
    made: Mapping[Hashable, Upstream]
    """All of them, by what they were made of."""

    async def close(self, others: Sequence[Ways]) -> None:
        """Close what none of the others uses."""
        if all(ways.discovery is not self.discovery for ways in others):
            await self.discovery.close()
        in_use = {id(upstream) for ways in others for upstream in ways.made.values()}
        for upstream in self.made.values():
            if id(upstream) not in in_use:
                await upstream.close(0.0)  # who serves has let requests end before


def open_ways(
    settings: Settings,
    platform: Platform,
    contexts: Mapping[str, ssl.SSLContext],
    before: Ways | None = None,
) -> Ways:
    """Make what sends requests; those of `before` that would be the same go on.

    `contexts` are for services, and their mirrors, of which the operator says how to meet them over TLS.
    What stands before the upstreams, breakers among it, goes on as far as each service asks for the same.
    """
    around = Surroundings(zone=settings.zone)
    made: dict[Hashable, Upstream] = {}

    def way(service: str, name: str, origin: Origin, policy: UpstreamPolicy | None) -> Upstream:
        tls = contexts.get(service)
        key = (name, origin, policy, id(tls))
        endpoints = origin if isinstance(origin, tuple) else ()
        known = before.made.get(key) if before is not None else None
        limits = UpstreamLimits() if policy is None else _limits(policy.connections)
        if known is None:
            known = Upstream(name, endpoints, limits, policy, tls=tls, surroundings=around)
        made[key] = known
        return known

    policies = {service.name: service.upstream for service in platform.services}
    upstreams = {
        name: way(name, name, origin, policies[name])
        for name, origin in settings.origins.items()
        if name not in settings.mocked
    }
    mirrors = {
        name: way(name, f"{name} (mirror)", mirrored.endpoints, None)
        for name, mirrored in settings.mirrors.items()
    }
    same = before is not None and before.upstreams == upstreams
    deliveries = Deliveries(platform, upstreams, before=None if before is None else before.deliveries)
    discovery = before.discovery if before is not None and same else None
    if discovery is None or discovery.config != settings.discovery:
        discovery = Discovery(
            {name: settings.origins[name] for name in upstreams},
            settings.discovery,
            {name: upstream.replace for name, upstream in upstreams.items()},
            before=None if before is None else before.discovery,
        )
    return Ways(upstreams=upstreams, mirrors=mirrors, deliveries=deliveries, discovery=discovery, made=made)


def _limits(connections: Connections) -> UpstreamLimits:
    return UpstreamLimits(
        connect_s=connections.connect_s,
        keep_alive_s=connections.keep_alive_s,
        max_connections=connections.max,
        max_pending=connections.max_waiting,
    )


class Sharing:
    """Keeps the breakers of what serves of one mind with those of other processes."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._shared: SharedBreakers | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def share(self, deliveries: Deliveries) -> None:
        """Share these from now on, and no others."""
        if self._shared is not None:
            task = asyncio.get_running_loop().create_task(self._shared.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._shared = SharedBreakers(self._link, time.monotonic)
        deliveries.changes.tell = self._shared.tell
        self._shared.open(deliveries.breakers.values())

    async def close(self) -> None:
        await asyncio.gather(*self._closing)
        if self._shared is not None:
            await self._shared.close()


def build_forwarders(
    ways: Ways, settings: Settings, header_prefix: str, metrics: Metrics
) -> Callable[[Route], Forwarder]:
    """What each route hands its requests to; a mirror sees a call once, however often it is tried."""
    mirrors = {
        name: Mirror(
            ways.mirrors[name],
            share=mirrored.share,
            random=random.random,
            header_prefix=header_prefix,
            count=metrics.mirror_counter(name),
        )
        for name, mirrored in settings.mirrors.items()
    }

    def forwarder(route: Route) -> Forwarder:
        delivery, mirror = ways.deliveries.of(route), mirrors.get(route.service)
        return delivery if mirror is None else Mirrored(delivery, mirror)

    return forwarder
