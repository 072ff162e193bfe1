"""The ways to the services, and to the mirrors beside them: opened once per process."""

from __future__ import annotations

import random
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from dhatu_gateway.core.forward import Forwarder
from dhatu_gateway.core.mirror import Mirror, Mirrored
from dhatu_gateway.core.types import Platform
from dhatu_gateway.core.upstream.service import Surroundings, Upstream
from dhatu_gateway.core.upstream.types import UpstreamLimits
from dhatu_gateway.monitoring.metrics import Metrics
from dhatu_gateway.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """By service; the gateway's own operations need none."""

    upstreams: Mapping[str, Upstream]
    mirrors: Mapping[str, Upstream]
    """Of those services that have one."""


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
            UpstreamLimits(),
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
    return Ways(upstreams=upstreams, mirrors=mirrors)


def build_forwarders(
    ways: Ways, settings: Settings, header_prefix: str, metrics: Metrics
) -> Mapping[str, Forwarder]:
    """What the routes of each service hand their requests to."""
    forwarders: dict[str, Forwarder] = dict(ways.upstreams)
    for name, mirrored in settings.mirrors.items():
        mirror = Mirror(
            ways.mirrors[name],
            share=mirrored.share,
            random=random.random,
            header_prefix=header_prefix,
            count=metrics.mirror_counter(name),
        )
        forwarders[name] = Mirrored(ways.upstreams[name], mirror)
    return forwarders
