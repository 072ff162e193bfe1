"""What is known of the endpoints of one service, whatever its source says or fails to say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from dhatu_gateway.core.discovery.overrides import NO_OVERRIDES, Overrides
from dhatu_gateway.core.discovery.source import DiscoveryError, Found, Kind, Rhythm, Source
from dhatu_gateway.core.upstream.discovery import Endpoint

_logger = logging.getLogger("dhatu.discovery")


class Standing:
    """The last good endpoints of a service, since when, and what has gone wrong since.

    An empty answer never replaces a set: an outage of whoever checks the services looks just the same as one
    of all services, and only in the first case somebody is hurt by believing it.
    """

    def __init__(self, service: str, kind: Kind, publish: Callable[[Sequence[Endpoint]], None]) -> None:
        """`publish` is told each new set; it is never empty."""
        self.service = service
        self.kind: Kind = kind
        self.found: tuple[Endpoint, ...] = ()
        """As the source said, sorted; the last good ones."""
        self.good_at_s: float | None = None
        """When the source last said something that could be believed, on the wall clock."""
        self.error = ""
        """What is wrong with the source at the moment; empty where nothing is."""
        self.failures = 0
        """Rounds in a row that brought nothing good."""
        self.restored = False
        """Whether the endpoints are those of before the start, from the disk."""
        self.first = asyncio.Event()
        """Set once there are any endpoints."""
        self._publish = publish
        self._published: tuple[Endpoint, ...] = ()
        self._overrides = NO_OVERRIDES
        self._before: tuple[tuple[Endpoint, ...], float] | None = None

    def take(self, found: Found, wall_s: float) -> None:
        """Take in an answer."""
        endpoints = _unique(found.endpoints)
        doubt = found.doubt or ("" if endpoints else "no endpoint is left")
        if not endpoints or (doubt and self.found):
            self.fail(f"{doubt}, so the last good ones stay" if self.found else doubt)
            return
        if self.error and not doubt:
            _logger.info("%s: %s works again", self.service, self.kind)
        self.error, self.failures = "; ".join(filter(None, (doubt, *found.notes))), 0
        self.good_at_s, self.restored = wall_s, False
        self.found = endpoints
        self._settle()

    def fail(self, reason: str) -> None:
        """The source could not be asked, or not be believed."""
        self.failures += 1
        self.restore()
        if reason != self.error:
            _logger.warning("%s: %s: %s", self.service, self.kind, reason)
        self.error = reason

    def take_over(self, before: Standing) -> None:
        """Begin with what another knows of the same service."""
        if before.found:
            self.found, self.good_at_s = before.found, before.good_at_s
            self.error, self.failures, self.restored = before.error, before.failures, before.restored
            self._settle()

    def remember(self, endpoints: Sequence[Endpoint], good_at_s: float) -> None:
        """Use these where the source has nothing to say at first."""
        self._before = _unique(endpoints), good_at_s

    def restore(self) -> None:
        """Begin with what is remembered, unless something better is known."""
        if self._before is None or self.found:
            return
        (self.found, self.good_at_s), self.restored = self._before, True
        _logger.warning("%s: begins with the %d endpoints of before", self.service, len(self.found))
        self._settle()

    def override(self, overrides: Overrides) -> None:
        """Change what the source says by these from now on."""
        self._overrides = overrides
        if self.found:
            self._settle()

    def _settle(self) -> None:
        endpoints = self._overrides.applied(self.found)
        if endpoints == self._published:
            return
        before = {endpoint.identity for endpoint in self._published}
        now = {endpoint.identity for endpoint in endpoints}
        _logger.info(
            "%s: %d endpoints, %d new, %d gone", self.service, len(now), len(now - before), len(before - now)
        )
        self._published = endpoints
        self._publish(endpoints)
        self.first.set()


async def follow(source: Source, standing: Standing, rhythm: Rhythm) -> None:
    """Ask a source round after round, until cancelled."""
    try:
        while True:
            began_s = rhythm.clock()
            try:
                found = await source.find()
            except DiscoveryError as error:
                standing.fail(str(error))
                await rhythm.sleep(rhythm.backoff_s(standing.failures))
                continue
            except Exception as error:  # a fault of our own must not end discovery for good
                _logger.exception("%s: the round failed", standing.service)
                standing.fail(f"{type(error).__name__}: {error}")
                await rhythm.sleep(rhythm.backoff_s(standing.failures))
                continue
            standing.take(found, rhythm.wall_clock())
            took_s = rhythm.clock() - began_s
            pause_s = max(found.fresh_s, rhythm.least_s - took_s)
            if found.recheck:
                pause_s = rhythm.backoff_s(max(1, standing.failures))
            if pause_s > 0:
                await rhythm.sleep(pause_s)
    finally:
        await source.close()


def _unique(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Each endpoint once, as said first, in an order that does not depend on the answer's."""
    by_identity: dict[tuple[str, int, bool, str], Endpoint] = {}
    for endpoint in endpoints:
        by_identity.setdefault(endpoint.identity, endpoint)
    return tuple(by_identity[identity] for identity in sorted(by_identity))
