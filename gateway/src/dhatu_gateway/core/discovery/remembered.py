"""The last good endpoints on disk: what a start begins with while nobody can say better."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from dhatu_gateway.core.discovery.origin import Origin
from dhatu_gateway.core.discovery.standing import Standing
from dhatu_gateway.core.upstream.discovery import MAX_WEIGHT, Endpoint, parse_word, valid_host

FORMAT: Final = 1
MAX_BYTES: Final = 8 * 1024 * 1024
REFRESH_S: Final = 60.0
"""Between two writings where only the age has changed."""
LEAST_S: Final = 1.0
"""Between two writings, however often endpoints change."""

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_logger = logging.getLogger("dhatu.discovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEndpoint:
    __pydantic_config__ = _STRICT
    host: str
    port: Annotated[int, Field(ge=1, le=65_535)]
    tls: bool
    weight: Annotated[float, Field(gt=0, le=MAX_WEIGHT)]
    zone: str
    tags: tuple[str, ...]
    found_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Of one service."""

    __pydantic_config__ = _STRICT
    origin: str
    """Whom it was asked of: the answer of another is no answer."""
    good_at_s: Annotated[float, Field(ge=0)]
    endpoints: Annotated[tuple[StoredEndpoint, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    __pydantic_config__ = _STRICT
    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)]
    services: Mapping[str, Stored]


_DOCUMENT = TypeAdapter(_Document)


class EndpointsFile:
    """One file for all services; where several processes write it, the newest word on each stays."""

    def __init__(self, path: Path, origins: Mapping[str, Origin]) -> None:
        self._path = path
        self._origins = {service: repr(origin) for service, origin in origins.items()}
        self._said = ""

    def read(self) -> dict[str, tuple[tuple[Endpoint, ...], float]]:
        """Endpoints and when they were good, by service; a file that makes no sense is as none."""
        try:
            known = self._stored()
            return {
                service: (tuple(map(_endpoint, stored.endpoints)), stored.good_at_s)
                for service, stored in known.items()
                if self._origins.get(service) == stored.origin
            }
        except ValueError as error:
            self._say(f"cannot be used, so nothing is known from before: {error}")
            return {}

    def write(self, standings: Mapping[str, Standing]) -> None:
        """Put down what is known now; a failure is said, and no more."""
        try:
            try:
                stored = self._stored()
            except ValueError:
                stored = None  # written anew, whatever it is
            kept = {name: old for name, old in (stored or {}).items() if name in self._origins}
            kept |= self._newer(standings, kept)
            if kept != stored:
                self._write(kept)
        except OSError as error:
            self._say(f"cannot be written: {error.strerror or error}")

    async def keep(self, standings: Mapping[str, Standing], changed: asyncio.Event) -> None:
        """Write what changes, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await changed.wait()
            changed.clear()
            await asyncio.to_thread(self.write, dict(standings))
            await asyncio.sleep(LEAST_S)

    def _newer(self, standings: Mapping[str, Standing], stored: Mapping[str, Stored]) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        for service, standing in standings.items():
            good_at_s, endpoints = standing.good_at_s, standing.found
            if not endpoints or good_at_s is None or standing.restored:
                continue
            origin, old = self._origins[service], stored.get(service)
            if old is None or old.origin != origin or old.good_at_s < good_at_s:
                kept = tuple(map(_stored_endpoint, endpoints))
                found[service] = Stored(origin=origin, good_at_s=good_at_s, endpoints=kept)
        return found

    def _stored(self) -> Mapping[str, Stored]:
        """Raises `ValueError` where it cannot be read, or makes no sense."""
        try:
            with self._path.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ValueError(error.strerror or str(error)) from error
        if len(text) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        try:
            return _DOCUMENT.validate_json(text).services
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{place}: {first['msg']}" if place else str(first["msg"])) from error

    def _write(self, services: Mapping[str, Stored]) -> None:
        """All of it or nothing, also where the machine stops meanwhile."""
        text = _DOCUMENT.dump_json(_Document(format=FORMAT, services=services), indent=1)
        with NamedTemporaryFile(
            dir=self._path.parent, prefix=f".{self._path.name}-", delete=False, mode="wb"
        ) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, self._path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def _say(self, problem: str) -> None:
        if problem != self._said:
            self._said = problem
            _logger.warning("%s: %s", self._path, problem)


def _endpoint(stored: StoredEndpoint) -> Endpoint:
    """Raises `ValueError`."""
    if not valid_host(stored.host) or not (valid_host(stored.found_as) or not stored.found_as):
        raise ValueError(f"{stored.host!r} found as {stored.found_as!r} is no address")
    return Endpoint(
        host=stored.host,
        port=stored.port,
        tls=stored.tls,
        weight=stored.weight,
        zone=parse_word("zone", stored.zone) if stored.zone else "",
        tags=tuple(parse_word("tag", tag) for tag in stored.tags),
        found_as=stored.found_as,
    )


def _stored_endpoint(endpoint: Endpoint) -> StoredEndpoint:
    return StoredEndpoint(
        host=endpoint.host,
        port=endpoint.port,
        tls=endpoint.tls,
        weight=endpoint.weight,
        zone=endpoint.zone,
        tags=endpoint.tags,
        found_as=endpoint.found_as,
    )
