"""What discovery knows and does not know, for whoever looks at the gateway's status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from dhatu_gateway.core.discovery.catalog import Catalog
from dhatu_gateway.core.discovery.drift import Drift, DriftReports
from dhatu_gateway.core.discovery.source import DiscoveryError
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.service import Upstream
from dhatu_gateway.core.upstream.types import UpstreamLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """One with the tag `dhatu` that nobody has specified."""

    name: str
    tags: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    drift: Drift


class DiscoveryReport:
    """Compares the documents of services, those that are specified and those that have appeared."""

    def __init__(
        self, upstreams: Mapping[str, Upstream], reports: DriftReports, catalog: Catalog | None
    ) -> None:
        self._upstreams = upstreams
        self._reports = reports
        self._catalog = catalog

    async def drift(self, service: str) -> Drift:
        return await self._reports.of(service, self._upstreams[service])

    async def new_services(self) -> list[NewService]:
        """Those that have appeared, sorted by name; none without Consul."""
        catalog = self._catalog
        if catalog is None:
            return []
        found = await asyncio.gather(*(self._new(catalog, name, tags) for name, tags in catalog.new.items()))
        return sorted(found, key=lambda service: service.name)

    async def _new(self, catalog: Catalog, name: str, tags: tuple[str, ...]) -> NewService:
        try:
            endpoints = await catalog.instances(name)
        except DiscoveryError as error:
            return NewService(name=name, tags=tags, endpoints=(), drift=Drift(problem=str(error)))
        if not endpoints:
            problem = "no instance passes its checks"
            return NewService(name=name, tags=tags, endpoints=(), drift=Drift(problem=problem))
        way = Upstream(name, endpoints[:1], UpstreamLimits(connect_s=1.0))
        try:
            drift = await self._reports.of(name, way)
        finally:
            await way.close(0.0)
        return NewService(name=name, tags=tags, endpoints=tuple(endpoints), drift=drift)
