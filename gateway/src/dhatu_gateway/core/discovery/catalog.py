"""Services in Consul that are meant for this gateway but that its specification does not know."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import quote

from dhatu_gateway.core.discovery.consul import TAG, read_instances
from dhatu_gateway.core.discovery.consul_index import BlockingQuery
from dhatu_gateway.core.discovery.http import JsonClient
from dhatu_gateway.core.discovery.source import DiscoveryError, Rhythm
from dhatu_gateway.core.upstream.discovery import Endpoint

MOST: Final = 50
"""Services that are shown; where there are more, somebody has tagged too much."""
_ANSWER_S: Final = 5.0

_logger = logging.getLogger("dhatu.discovery")


class Catalog:
    """Follows the list of all services."""

    def __init__(self, client: JsonClient, known: Collection[str]) -> None:
        """`known` are the specified ones, by the names that Consul and the specification have for them."""
        self._client = client
        self._known = frozenset(known)
        self.new: dict[str, tuple[str, ...]] = {}
        """Tags of the services with the tag `dhatu` that nobody has specified, by name."""

    async def follow(self, rhythm: Rhythm) -> None:
        """Follow the catalog until cancelled; while it cannot be read, what was known stays."""
        query = BlockingQuery(self._client, "/v1/catalog/services", {"stale": ""})
        failures = 0
        while True:
            began_s = rhythm.clock()
            try:
                services = read_catalog((await query.ask()).document)
            except DiscoveryError as error:
                failures += 1
                if failures == 1:
                    _logger.warning("the catalog of services: %s", error)
                await rhythm.sleep(rhythm.backoff_s(failures))
                continue
            failures = 0
            new = {
                name: tags
                for name, tags in sorted(services.items())
                if TAG in tags and name not in self._known
            }
            for name in new.keys() - self.new.keys():
                _logger.warning("the service %s has appeared, which nobody has specified", name)
            self.new = dict(list(new.items())[:MOST])
            pause_s = rhythm.least_s - (rhythm.clock() - began_s)
            if pause_s > 0:
                await rhythm.sleep(pause_s)

    async def instances(self, service: str) -> list[Endpoint]:
        """Where a service runs now; raises `DiscoveryError`."""
        path = f"/v1/health/service/{quote(service, safe='')}"
        answer = await self._client.ask(path, {"passing": "1", "stale": ""}, timeout_s=_ANSWER_S)
        if answer.status != 200:
            raise DiscoveryError(f"Consul answered {answer.status}: {answer.document}")
        return read_instances(answer.document, tls=False)[0]


def read_catalog(document: Any) -> dict[str, tuple[str, ...]]:
    """Names and tags; raises `DiscoveryError`."""
    try:
        return {str(name): tuple(str(tag) for tag in tags or ()) for name, tags in document.items()}
    except (AttributeError, TypeError) as error:
        raise DiscoveryError("Consul's answer is not a catalog of services") from error
