"""Asks the parts of the platform how they are doing; an unreachable part is an answer, not an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from .models import CorpusSize, ServiceHealth, State
from .settings import DashboardSettings
from .usage import MetricsError, OperationCalls, read_metrics

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

_MAX_DETAIL: Final = 200
_STATES: Final[Mapping[str, State]] = {"ok": "up", "degraded": "degraded", "failed": "down"}


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Check(_Read):
    """What the gateway says about one store or service."""

    name: str
    status: str

    @property
    def state(self) -> State:
        return _STATES.get(self.status, "unknown")


class GatewayHealth(_Read):
    """What the gateway says about itself."""

    status: str
    checks: tuple[Check, ...] = ()


class _Uptime(_Read):
    uptime_s: float


class _Alive(_Read):
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[T]):
    """What came back from one place."""

    health: ServiceHealth
    value: T | None = None
    """None where it could not be had."""


class Probes:
    """One method per question; `client` is shared, and its owner closes it."""

    def __init__(self, client: httpx.AsyncClient, settings: DashboardSettings) -> None:
        self._client = client
        self._settings = settings
        self._credentials = {"X-API-Key": settings.gateway_api_key} if settings.gateway_api_key else {}

    async def gateway(self) -> Reading[GatewayHealth]:
        """The gateway's own view of itself and its stores.

        It calls itself degraded where a service behind it is down, which says nothing against the gateway.
        """
        reading = await self._ask(
            "gateway", f"{self._settings.gateway_url}/api/v1/health", _model(GatewayHealth)
        )
        if reading.value is None or reading.value.status != "failed":
            return reading
        failed = {"state": "degraded", "detail": "It says that one of its own stores has failed."}
        return Reading(health=reading.health.model_copy(update=failed), value=reading.value)

    async def calls(self) -> Reading[tuple[OperationCalls, ...]]:
        """The calls that the gateway has counted."""
        return await self._ask("gateway", f"{self._settings.gateway_url}/api/v1/metrics", read_metrics)

    async def uptime_s(self) -> float | None:
        """Seconds since the gateway started."""
        reading = await self._ask("gateway", f"{self._settings.gateway_url}/api/v1/status", _model(_Uptime))
        return reading.value.uptime_s if reading.value else None

    async def corpus_size(self) -> Reading[CorpusSize]:
        """How much the corpus holds, from the first place where it runs."""
        url = self._settings.services["corpus"][0]
        return await self._ask("corpus", f"{url}/api/v1/corpus/stats", _model(CorpusSize))

    async def services(self) -> list[ServiceHealth]:
        """Every service, sorted by name."""
        return list(
            await asyncio.gather(
                *(self._service(name, urls) for name, urls in self._settings.services.items())
            )
        )

    async def _service(self, name: str, urls: Sequence[str]) -> ServiceHealth:
        readings = await asyncio.gather(*(self._ask(name, f"{url}/health", _model(_Alive)) for url in urls))
        return _together(name, [reading.health for reading in readings])

    async def _ask(self, name: str, url: str, read: Callable[[str], T]) -> Reading[T]:
        headers = self._credentials if url.startswith(self._settings.gateway_url + "/") else {}
        timeout_s = self._settings.timeout_s
        started_s = time.perf_counter()
        try:
            # httpx's timeouts bound each read, so that a trickle of bytes could last for ever.
            async with asyncio.timeout(timeout_s):
                response = await self._client.get(url, headers=headers)
        except TimeoutError:
            return _unread(name, "down", f"No answer within {timeout_s:g} s.")
        except httpx.HTTPError as error:
            return _unread(name, "down", f"Cannot be reached: {error or type(error).__name__}")
        latency_ms = round((time.perf_counter() - started_s) * 1000, 3)
        if response.status_code != 200:
            return _unread(name, "degraded", f"Answered with status {response.status_code}.", latency_ms)
        try:
            value = read(response.text)
        except (ValidationError, MetricsError) as error:
            return _unread(name, "degraded", f"Its answer cannot be read: {_reason(error)}", latency_ms)
        return Reading(health=ServiceHealth(name=name, state="up", latency_ms=latency_ms), value=value)


def _model(kind: type[Model]) -> Callable[[str], Model]:
    return kind.model_validate_json


def _reason(error: ValidationError | MetricsError) -> str:
    if isinstance(error, MetricsError):
        return str(error)
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def _unread(name: str, state: State, detail: str, latency_ms: float | None = None) -> Reading[T]:
    line = " ".join(detail.split())[:_MAX_DETAIL]
    return Reading(health=ServiceHealth(name=name, state=state, latency_ms=latency_ms, detail=line))


def _together(name: str, places: Sequence[ServiceHealth]) -> ServiceHealth:
    """One service that runs in several places: up where all are, down where none answers."""
    up = sum(place.state == "up" for place in places)
    latencies = [place.latency_ms for place in places if place.latency_ms is not None]
    details = [place.detail for place in places if place.detail]
    if len(places) > 1 and details:
        details = [f"{up} of {len(places)} places are up.", *details]
    some = any(place.state != "down" for place in places)
    return ServiceHealth(
        name=name,
        state="up" if up == len(places) else "degraded" if some else "down",
        latency_ms=max(latencies, default=None),
        detail=" ".join(details)[:_MAX_DETAIL] or None,
    )
