"""The ways to the services, and to the mirrors beside them: opened once per process."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from dhatu_gateway.core.deliveries import Deliveries
from dhatu_gateway.core.forward import Forwarder
from dhatu_gateway.core.mirror import Mirror, Mirrored
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.upstream.breaker.sharing import SharedBreakers
from dhatu_gateway.core.upstream.policy import Connections
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


def open_ways(
    settings: Settings, platform: Platform, contexts: Mapping[str, ssl.SSLContext], stack: AsyncExitStack
) -> Ways:
    """Make what sends requests; the stack closes it.

    `contexts` are for services, and their mirrors, of which the operator says how to meet them over TLS.
    """
    around = Surroundings(zone=settings.zone)
    policies = {service.name: service.upstream for service in platform.services}
    upstreams = {
        name: Upstream(
            name,
            endpoints,
            _limits(policies[name].connections),
            policies[name],
            tls=contexts.get(name),
            surroundings=around,
        )
        for name, endpoints in settings.endpoints.items()
    }
    mirrors = {
        name: Upstream(
            f"{name} (mirror)",
            mirrored.endpoints,
            UpstreamLimits(),
            tls=contexts.get(name),
            surroundings=around,
        )
        for name, mirrored in settings.mirrors.items()
    }
    for upstream in (*upstreams.values(), *mirrors.values()):
        stack.push_async_callback(upstream.close, 0.0)  # who serves has let requests end before
    return Ways(upstreams=upstreams, mirrors=mirrors, deliveries=Deliveries(platform, upstreams))


def _limits(connections: Connections) -> UpstreamLimits:
    return UpstreamLimits(
        connect_s=connections.connect_s,
        keep_alive_s=connections.keep_alive_s,
        max_connections=connections.max,
        max_pending=connections.max_waiting,
    )


def share_breakers(deliveries: Deliveries, link: Link) -> SharedBreakers:
    """Keep the breakers of one mind with those of other processes, until it is closed."""
    shared = SharedBreakers(link, time.monotonic)
    deliveries.changed = shared.tell
    shared.open(deliveries.breakers.values())
    return shared


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
