"""Follows the endpoints of all services, for as long as the gateway runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dhatu_gateway.core.discovery.catalog import Catalog
from dhatu_gateway.core.discovery.consul import ConsulSource
from dhatu_gateway.core.discovery.http import JsonClient, ServerAccess
from dhatu_gateway.core.discovery.kubernetes import KubernetesSource
from dhatu_gateway.core.discovery.origin import (
    ConsulOrigin,
    DnsOrigin,
    Dynamic,
    KubernetesOrigin,
    Nameserver,
    Origin,
    SrvOrigin,
)
from dhatu_gateway.core.discovery.overrides import Overrides
from dhatu_gateway.core.discovery.registration import OwnService
from dhatu_gateway.core.discovery.remembered import EndpointsFile
from dhatu_gateway.core.discovery.source import Found, Rhythm, Source
from dhatu_gateway.core.discovery.standing import Standing, follow
from dhatu_gateway.core.upstream.discovery import Endpoint

FIRST_ROUND_S: Final = 3.0
"""How long the start of the gateway waits for the first answers; it goes on without those that are late."""

Publish = Callable[[Sequence[Endpoint]], None]

_logger = logging.getLogger("dhatu.discovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    """Whom to ask, and how."""

    nameservers: tuple[Nameserver, ...] = ()
    """Empty for those of the system."""
    consul: ServerAccess | None = None
    kubernetes: ServerAccess | None = None
    key_prefix: str = ""
    """Of the overrides in Consul's key-value store; empty for none."""
    registration: OwnService | None = None
    """What others shall find of this gateway itself; None for nothing."""
    endpoints_file: Path | None = None
    """Where the last good endpoints are kept; None for nowhere."""


class Discovery:
    """One task for each service whose endpoints somebody is asked for."""

    def __init__(
        self,
        origins: Mapping[str, Origin],
        config: DiscoveryConfig,
        publish: Mapping[str, Publish],
        rhythm: Rhythm | None = None,
        before: Discovery | None = None,
    ) -> None:
        """`publish` swaps the endpoints of a service; what `before` knows of the same origins is known here.

        Raises `ValueError` where a file cannot be used.
        """
        self._rhythm = rhythm or Rhythm()
        self.config = config
        self._before = before
        self._origins = origins
        self._tasks: list[asyncio.Task[None]] = []
        self._is_open = False
        self.consul = JsonClient(config.consul) if config.consul is not None else None
        self._kubernetes = JsonClient(config.kubernetes) if config.kubernetes is not None else None
        self.standings: dict[str, Standing] = {}
        """By service."""
        consul_names = {o.service for o in origins.values() if isinstance(o, ConsulOrigin)}
        own = {config.registration.name} if config.registration is not None else set[str]()
        known = {*origins, *consul_names, *own}
        self.catalog = Catalog(self.consul, known) if self.consul is not None else None
        """None without Consul."""
        self._sources: dict[str, Source] = {}
        self._static: dict[str, tuple[Endpoint, ...]] = {}
        self._changed = asyncio.Event()
        for service, origin in origins.items():
            if isinstance(origin, tuple):
                self.standings[service] = Standing(service, "static", publish[service])
                self._static[service] = origin
            else:
                source = self._source(origin)
                self._sources[service] = source
                told = self._telling(publish[service])
                self.standings[service] = Standing(service, source.kind, told)
        path = config.endpoints_file
        asked = {service: origins[service] for service in self._sources}
        self._file = EndpointsFile(path, asked) if path is not None and asked else None

    async def open(self) -> None:
        """Begin to ask, and wait a little for the first answers; nothing more where it was opened before."""
        if self._is_open:
            return
        self._is_open = True
        before, self._before = self._before, None
        if before is not None:
            self._take_over(before)
        if self._file is not None:
            await self._remember(self._file)
        for service, endpoints in self._static.items():
            self.standings[service].take(Found(endpoints=endpoints), self._rhythm.wall_clock())
        for service, source in self._sources.items():
            self._start(follow(source, self.standings[service], self._rhythm))
        if self.catalog is not None:
            self._start(self.catalog.follow(self._rhythm))
        waiting = [
            standing.first.wait() for service, standing in self.standings.items() if service in self._sources
        ]
        try:
            async with asyncio.timeout(FIRST_ROUND_S):
                await asyncio.gather(*waiting)
        except TimeoutError:
            for standing in self.standings.values():
                standing.restore()
            late = [name for name, standing in self.standings.items() if not standing.found]
            if late:
                _logger.warning("nobody has said yet where these services are: %s", ", ".join(late))

    def _telling(self, publish: Publish) -> Publish:
        def tell(endpoints: Sequence[Endpoint]) -> None:
            publish(endpoints)
            self._changed.set()

        return tell

    async def _remember(self, file: EndpointsFile) -> None:
        for service, (endpoints, good_at_s) in (await asyncio.to_thread(file.read)).items():
            self.standings[service].remember(endpoints, good_at_s)
        self._start(file.keep({service: self.standings[service] for service in self._sources}, self._changed))

    def _take_over(self, before: Discovery) -> None:
        """Begin with what is known: whoever has to be asked may be out just now."""
        for service in self._sources:
            known = before.standings.get(service)
            if known is not None and before._origins.get(service) == self._origins[service]:
                self.standings[service].take_over(known)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def close(self) -> None:
        """Ask nobody any more; what is known stays in force."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in (self.consul, self._kubernetes):
            if client is not None:
                await client.close()

    def override(self, overrides: Mapping[str, Overrides]) -> None:
        """Put these in force for all services at once; a service that is not among them has none."""
        for service, standing in self.standings.items():
            standing.override(overrides.get(service, Overrides()))

    def _source(self, origin: Dynamic) -> Source:
        match origin:
            case DnsOrigin() | SrvOrigin():
                # Some 6 MB, which only those pay whose services are found like this.
                from dhatu_gateway.core.discovery.dns import dns_source

                return dns_source(origin, self.config.nameservers)
            case ConsulOrigin():
                if self.consul is None:
                    raise ValueError("consul+http:// needs CONSUL_URL")
                return ConsulSource(origin, self.consul)
            case KubernetesOrigin():
                if self._kubernetes is None:
                    raise ValueError("k8s+http:// needs KUBERNETES_URL, or to run in a cluster")
                return KubernetesSource(origin, self._kubernetes)
