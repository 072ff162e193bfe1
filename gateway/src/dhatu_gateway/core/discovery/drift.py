"""Whether a service offers what the specification says: its own document beside the gateway's routes."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from dhatu_gateway.core.discovery.differences import Contract, Difference
from dhatu_gateway.core.discovery.http import read_json
from dhatu_gateway.core.discovery.shapes import escaped
from dhatu_gateway.core.discovery.source import DiscoveryError
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.upstream.errors import UpstreamError
from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest

FRESH_S: Final = 60.0
TIMEOUT_S: Final = 3.0
MAX_BYTES: Final = 8 * 1024 * 1024
PATH: Final = b"/openapi.json"
_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_PARAMETER: Final = re.compile(r"\{[^{}]*\}")

Operation = tuple[str, str]
"""Method in upper case, and path template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a service's document differs from the specification."""

    problem: str = ""
    """Why nobody knows; empty where it was compared."""
    missing: tuple[Operation, ...] = ()
    """In the specification, not in the service's document."""
    extra: tuple[Operation, ...] = ()
    """In the service's document, not in the specification."""
    differing: tuple[Difference, ...] = ()
    """Where the two contradict each other about an operation that both have."""
    more: bool = False
    """Whether there are more of these than are told."""


def compare(
    document: object,
    specified: Collection[Operation] | None,
    all_specified: Collection[Operation],
    unlisted: Collection[Operation] = (),
    contract: Contract | None = None,
) -> Drift:
    """Hold a service's OpenAPI document against the operations that are specified for it.

    Names of path parameters do not count. What a service has besides the API, such as `/health`, is left
    out: all that does not begin as some path of the specification does. Those that are `unlisted` need not
    be in it: frameworks leave WebSockets out. A service that nobody has specified (None) may offer any of all
    operations, and misses none. Raises `DiscoveryError` for what is no document.
    """
    places = _places(document)
    served = {_shape(operation): operation for operation in places}
    everything = {_shape(operation): operation for operation in all_specified}
    wanted = {_shape(operation): operation for operation in specified or ()}
    known = everything if specified is None else wanted
    roots = {path.split("/")[1] for _, path in all_specified}
    extra = [served[shape] for shape in served.keys() - known.keys() if shape[1].split("/")[1] in roots]
    differing: tuple[Difference, ...] = ()
    more = False
    if contract is not None:

        def pointer_of(route: Route) -> str | None:
            shape = _shape((route.method, route.path))
            return places[served[shape]] if shape in served and shape in known else None

        differing, more = contract.differences(document, pointer_of)
    return Drift(
        differing=differing,
        more=more,
        missing=tuple(sorted({wanted[shape] for shape in wanted.keys() - served.keys()} - {*unlisted})),
        extra=tuple(sorted(extra)),
    )


def _places(document: object) -> dict[Operation, str]:
    """Every operation of an OpenAPI document, behind the path of its server, and its place in there.

    Raises `DiscoveryError`.
    """
    try:
        members = cast(Mapping[str, Any], document)
        paths: Mapping[str, Mapping[str, Any]] = members["paths"]
        servers: list[Mapping[str, str]] = members.get("servers") or [{}]
        base = urlsplit(servers[0].get("url", "")).path.rstrip("/")
        return {
            (method.upper(), base + path): f"/paths/{escaped(path)}/{method}"
            for path, item in paths.items()
            for method in item
            if method in _METHODS and path.startswith("/")
        }
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DiscoveryError(f"its {PATH.decode()} is no OpenAPI document: {error!r}") from error


def _shape(operation: Operation) -> Operation:
    method, path = operation
    return method, _PARAMETER.sub("{}", path)


class Forwarder(Protocol):
    """The way to a service."""

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None: ...


async def fetch_document(way: Forwarder, now_s: float) -> object:
    """Ask a service for its document, as any request is sent to it; raises `DiscoveryError`."""
    sink = _Collected()
    request = UpstreamRequest(b"GET", PATH, [(b"accept", b"application/json")], b"", now_s + TIMEOUT_S)
    try:
        await way.forward(request, sink)
    except UpstreamError as error:
        raise DiscoveryError(str(error)) from error
    if sink.status != 200:
        raise DiscoveryError(f"it answered {sink.status} to {PATH.decode()}")
    return read_json(bytes(sink.content), "the service")


class DriftReports:
    """Compares when somebody asks, and not too often."""

    def __init__(
        self,
        routes: Mapping[str, Collection[Operation]],
        clock: Callable[[], float] = time.monotonic,
        unlisted: Collection[Operation] = (),
        contract: Contract | None = None,
    ) -> None:
        """`routes` are the operations of each service, `unlisted` those that documents may leave out.

        `contract` says what else is specified of them.
        """
        self._contract = contract
        self._routes = routes
        self._unlisted = unlisted
        self._all = frozenset(operation for operations in routes.values() for operation in operations)
        self._clock = clock
        self._known: dict[str, tuple[float, Drift]] = {}

    async def of(self, service: str, way: Forwarder) -> Drift:
        """The drift of a service, at most `FRESH_S` ago; of one that nobody specified, all is extra."""
        now_s = self._clock()
        known = self._known.get(service)
        if known is not None and now_s - known[0] < FRESH_S:
            return known[1]
        try:
            document = await fetch_document(way, now_s)
            specified = self._routes.get(service)
            # A large document takes too long for the event loop.
            drift = await asyncio.to_thread(
                compare, document, specified, self._all, self._unlisted, self._contract
            )
        except DiscoveryError as error:
            drift = Drift(problem=str(error))
        self._known[service] = (now_s, drift)
        return drift


class _Collected:
    """Takes in an answer up to `MAX_BYTES`."""

    def __init__(self) -> None:
        self.status = 0
        self.content = bytearray()

    def start(self, status: int, headers: Headers) -> None:
        self.status = status

    async def body(self, chunk: bytes, more: bool) -> None:
        self.content += chunk
        if len(self.content) > MAX_BYTES:
            raise DiscoveryError(f"its {PATH.decode()} has more than {MAX_BYTES} bytes")

    async def client_gone(self) -> None:
        await asyncio.get_running_loop().create_future()
