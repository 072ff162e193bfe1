"""Overrides from Consul's key-value store: read as a whole, checked, and only then put in force."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from dhatu_gateway.core.discovery.consul_index import BlockingQuery
from dhatu_gateway.core.discovery.http import JsonClient
from dhatu_gateway.core.discovery.overrides import InvalidOverrides, Overrides, parse_overrides
from dhatu_gateway.core.discovery.source import DiscoveryError, Rhythm

FIRST_S: Final = 1.5
"""How long the start waits for the overrides; without them it begins as the specification says."""

AllOverrides = Mapping[str, Overrides]

_logger = logging.getLogger("dhatu.discovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridesView:
    """Which overrides are in force."""

    prefix: str = ""
    """Of their keys; empty where none are read."""
    services: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    """Those that are named, sorted."""
    good_at_s: float | None = None
    """When they were last read and in order, on the wall clock."""
    error: str = ""
    """Why what is written is not in force; empty where it is."""


class OverrideKeys:
    """The keys `<prefix>/<service>`, followed by one process for all."""

    def __init__(
        self, client: JsonClient, prefix: str, services: Collection[str], rhythm: Rhythm | None = None
    ) -> None:
        self._query = BlockingQuery(client, f"/v1/kv/{quote(prefix)}/", {"recurse": "", "stale": ""})
        self._prefix = prefix
        self._services = services
        self._rhythm = rhythm or Rhythm()
        self.in_force: AllOverrides = {}
        self._good_at_s: float | None = None
        self._error = ""
        self._failures = 0

    @property
    def view(self) -> OverridesView:
        named = {name for overrides in self.in_force.values() for name in overrides.policy.operations}
        return OverridesView(
            prefix=self._prefix,
            services=tuple(sorted(self.in_force)),
            operations=tuple(sorted(named)),
            good_at_s=self._good_at_s,
            error=self._error,
        )

    async def first(self, check: Callable[[AllOverrides], object]) -> AllOverrides:
        """What is in force from the start; `check` raises `InvalidOverrides`. Never waits for long."""

        async def begin(overrides: AllOverrides) -> None:
            check(overrides)

        try:
            async with asyncio.timeout(FIRST_S):
                await self._round(begin)
        except TimeoutError:
            self._fail("Consul has not answered in time for the start")
        self._query.begin_anew()
        return self.in_force

    async def follow(self, change: Callable[[AllOverrides], Awaitable[None]]) -> None:
        """Follow the keys until cancelled; what cannot be read or used changes nothing.

        `change` lets overrides take over, everywhere or nowhere; it raises `InvalidOverrides`.
        """
        rhythm = self._rhythm
        while True:
            began_s = rhythm.clock()
            await self._round(change)
            pause_s = rhythm.least_s - (rhythm.clock() - began_s)
            if self._failures:
                pause_s = rhythm.backoff_s(self._failures)
            if pause_s > 0:
                await rhythm.sleep(pause_s)

    async def _round(self, change: Callable[[AllOverrides], Awaitable[None]]) -> None:
        try:
            answer = await self._query.ask(may_be_missing=True)
            texts = read_keys(answer.document, self._prefix) if answer.status == 200 else {}
            overrides = parse_overrides(texts, self._services)
            if overrides != self.in_force:
                await change(overrides)
        except DiscoveryError as error:
            self._failures += 1
            self._fail(str(error))
        except InvalidOverrides as error:
            self._failures = 0
            self._fail(str(error))
        except Exception as error:  # a fault of our own must not end it for good
            _logger.exception("overrides cannot be put in force")
            self._failures += 1
            self._fail(f"{type(error).__name__}: {error}")
        else:
            self._succeed(overrides)

    def _succeed(self, overrides: AllOverrides) -> None:
        if self._error:
            _logger.info("overrides in %s/ are in order again", self._prefix)
        if overrides != self.in_force:
            names = ", ".join(sorted(overrides)) or "no service"
            _logger.warning("overrides in %s/ are in force: of %s", self._prefix, names)
        self.in_force, self._good_at_s = overrides, self._rhythm.wall_clock()
        self._failures, self._error = 0, ""

    def _fail(self, reason: str) -> None:
        if self._error != reason:
            _logger.warning("overrides in %s/ stay as they were: %s", self._prefix, reason)
        self._error = reason


def read_keys(document: Any, prefix: str) -> dict[str, bytes]:
    """Values by what follows the prefix, of an answer of /v1/kv; raises `DiscoveryError`."""
    try:
        pairs = {
            entry["Key"].removeprefix(f"{prefix}/"): base64.b64decode(entry["Value"] or "", validate=True)
            for entry in document
        }
    except (AttributeError, KeyError, TypeError, binascii.Error) as error:
        raise DiscoveryError(f"Consul answered no list of keys: {error!r}") from error
    return {name: value for name, value in pairs.items() if name}  # the folder itself is a key too
