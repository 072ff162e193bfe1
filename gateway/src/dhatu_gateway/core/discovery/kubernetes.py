"""Endpoints by Kubernetes: the EndpointSlices of a service, listed once and then watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, cast

from dhatu_gateway.core.discovery.http import JsonClient, read_json
from dhatu_gateway.core.discovery.origin import KubernetesOrigin
from dhatu_gateway.core.discovery.source import DiscoveryError, Found, Kind
from dhatu_gateway.core.upstream.discovery import Endpoint, valid_host

WATCH_S: Final = 240
"""The API server ends a watch after it, in good order; the next goes on where it ended."""
_ANSWER_S: Final = 10.0
_MAX_LINE_BYTES: Final = 4 * 1024 * 1024
_GONE: Final = 410

Slice = Mapping[str, Any]


class KubernetesSource:
    """The endpoints of one service that are ready."""

    kind: Kind = "kubernetes"

    def __init__(self, origin: KubernetesOrigin, client: JsonClient, *, watch_s: int = WATCH_S) -> None:
        self._origin = origin
        self._client = client
        self._watch_s = watch_s
        self._path = f"/apis/discovery.k8s.io/v1/namespaces/{origin.namespace}/endpointslices"
        self._query = {"labelSelector": f"kubernetes.io/service-name={origin.service}"}
        self._slices: dict[str, Slice] = {}
        self._version = ""
        self._chunks: AsyncIterator[bytes] | None = None
        self._unread = b""
        self._open = AsyncExitStack()

    async def find(self) -> Found:
        try:
            if not self._version:
                await self._list()
            else:
                await self._changes()
            endpoints = read_slices(self._slices.values(), self._origin)
        except BaseException:
            self._version = ""  # list anew: nobody knows what has been missed
            await self._end_watch()
            raise
        return Found(endpoints=tuple(endpoints), doubt="" if endpoints else "no endpoint is ready")

    async def close(self) -> None:
        await self._end_watch()

    async def _list(self) -> None:
        answer = await self._client.ask(self._path, self._query, timeout_s=_ANSWER_S)
        if answer.status != 200:
            raise DiscoveryError(f"{self._client.name} answered {answer.status}: {answer.document}")
        try:
            items: list[Slice] = answer.document["items"] or []
            version = answer.document["metadata"]["resourceVersion"]
            self._slices = {item["metadata"]["name"]: item for item in items}
        except (KeyError, TypeError) as error:
            raise DiscoveryError(
                f"{self._client.name} answered no list of EndpointSlices: {error}"
            ) from error
        if not isinstance(version, str) or not version:
            raise DiscoveryError(f"{self._client.name} answered a list without its version")
        self._version = version

    async def _changes(self) -> None:
        """Wait for what the watch says next, and take in all of it that has come at once."""
        if self._chunks is None:
            await self._watch()
        assert self._chunks is not None
        chunk = await anext(self._chunks, b"")
        if not chunk:  # the watch has ended; go on after the last version
            await self._end_watch()
            return
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        if len(self._unread) > _MAX_LINE_BYTES:
            raise DiscoveryError(f"{self._client.name} sends an event of more than {_MAX_LINE_BYTES} bytes")
        for line in filter(None, lines):
            self._apply(read_json(line, self._client.name))

    async def _watch(self) -> None:
        query = {
            **self._query,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(self._watch_s),
        }
        timeout_s = self._watch_s + _ANSWER_S
        response = await self._open.enter_async_context(
            self._client.stream(self._path, query, timeout_s=timeout_s)
        )
        if response.status_code != 200:
            raise DiscoveryError(f"{self._client.name} answered {response.status_code} to a watch")
        self._chunks = response.aiter_bytes()
        self._unread = b""

    async def _end_watch(self) -> None:
        self._chunks = None
        await self._open.aclose()

    def _apply(self, event: Any) -> None:
        try:
            kind, item = event["type"], event["object"]
            if kind == "ERROR":
                why = "the version is too old" if item.get("code") == _GONE else item.get("message", "")
                raise DiscoveryError(f"{self._client.name} ended the watch: {why}")
            name, version = item["metadata"].get("name", ""), item["metadata"]["resourceVersion"]
        except (AttributeError, KeyError, TypeError) as error:
            raise DiscoveryError(
                f"{self._client.name} sent an event that makes no sense: {error!r}"
            ) from error
        if kind == "DELETED":
            self._slices.pop(name, None)
        elif kind in ("ADDED", "MODIFIED"):
            self._slices[name] = item
        if isinstance(version, str) and version:
            self._version = version


def read_slices(slices: Iterable[Slice], origin: KubernetesOrigin) -> list[Endpoint]:
    """The endpoints that are ready; where none is, those that still serve while they end, as kube-proxy does.

    Pods with two families of addresses have slices of both, and are used by IPv4. Raises `DiscoveryError`.
    """
    ready: dict[str, list[Endpoint]] = {"IPv4": [], "IPv6": []}
    ending: dict[str, list[Endpoint]] = {"IPv4": [], "IPv6": []}
    try:
        for each in slices:
            family = each["addressType"]
            port = _port(each.get("ports") or [], origin.port)
            if family not in ready or port is None:
                continue
            entries: list[Mapping[str, Any]] = each.get("endpoints") or []
            for entry in entries:
                conditions: dict[str, bool | None] = entry.get("conditions") or {}
                endpoint = _endpoint(entry, port, tls=origin.tls)
                if conditions.get("ready") is not False:  # "unknown" counts as ready, says the API
                    ready[family].append(endpoint)
                elif conditions.get("serving") and conditions.get("terminating"):
                    ending[family].append(endpoint)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DiscoveryError(f"an EndpointSlice makes no sense: {error!r}") from error
    return ready["IPv4"] or ready["IPv6"] or ending["IPv4"] or ending["IPv6"]


def _endpoint(entry: Mapping[str, Any], port: int, *, tls: bool) -> Endpoint:
    host = cast(str, entry["addresses"][0])  # further ones are not to be used, says the API
    if not valid_host(host):
        raise ValueError(f"{host!r} is no address")
    return Endpoint(host=host, port=port, tls=tls, zone=entry.get("zone") or "")


def _port(ports: list[Mapping[str, Any]], wanted: str) -> int | None:
    """The one that is wanted by name or number; where none is wanted, the only one."""
    fitting = [
        port["port"]
        for port in ports
        if port.get("protocol", "TCP") == "TCP"
        and (not wanted or port.get("name") == wanted or str(port.get("port")) == wanted)
    ]
    if len(fitting) != 1:
        return None
    number = fitting[0]
    return number if isinstance(number, int) and 0 < number < 65_536 else None
