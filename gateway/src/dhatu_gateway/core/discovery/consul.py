"""Endpoints by Consul: the instances of a service that pass their checks, by blocking queries."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import quote

from dhatu_gateway.core.discovery.consul_index import WAIT_S, BlockingQuery
from dhatu_gateway.core.discovery.http import JsonAnswer, JsonClient
from dhatu_gateway.core.discovery.origin import ConsulOrigin
from dhatu_gateway.core.discovery.source import DiscoveryError, Found, Kind
from dhatu_gateway.core.upstream.discovery import (
    Endpoint,
    InvalidEndpoint,
    parse_weight,
    parse_word,
    valid_host,
)

LONGEST_STALE_MS: Final = 30_000
"""A server that heard of its leader longer ago is not believed where something is known."""
TAG: Final = "dhatu"
"""Services with it are meant for this gateway."""


class ConsulSource:
    """The healthy instances of one service."""

    kind: Kind = "consul"

    def __init__(self, origin: ConsulOrigin, client: JsonClient, *, wait_s: float = WAIT_S) -> None:
        self._origin = origin
        query = {"passing": "1", "stale": ""}
        if origin.tag:
            query["tag"] = origin.tag
        if origin.datacenter:
            query["dc"] = origin.datacenter
        path = f"/v1/health/service/{quote(origin.service, safe='')}"
        self._query = BlockingQuery(client, path, query, wait_s=wait_s)

    async def find(self) -> Found:
        answer = await self._query.ask()
        endpoints, notes = read_instances(answer.document, tls=self._origin.tls)
        doubt = stale_doubt(answer)
        if not endpoints:
            doubt = "Consul names no instance that passes its checks"
            if answer.headers.get("x-consul-results-filtered-by-acls", "") == "true":
                doubt = "Consul's token may not read the service (service:read and node:read are needed)"
        if doubt:
            # What is not believed must not be waited on: a change may have been kept from us with it.
            self._query.begin_anew()
        return Found(endpoints=tuple(endpoints), doubt=doubt, recheck=bool(doubt), notes=tuple(notes))

    async def close(self) -> None:
        """The client is shared."""


def stale_doubt(answer: JsonAnswer) -> str:
    """Why a stale answer is better not believed; empty where it may be."""
    contact = answer.headers.get("x-consul-lastcontact", "0")
    if answer.headers.get("x-consul-knownleader", "true") == "true":
        return ""
    if not contact.isascii() or not contact.isdigit() or int(contact) > LONGEST_STALE_MS:
        return "Consul's servers have had no leader for a while"
    return ""


def read_instances(document: object, *, tls: bool) -> tuple[list[Endpoint], list[str]]:
    """The endpoints in an answer of /v1/health/service, and what of it cannot be used.

    One instance that makes no sense is left out, for the others are not to blame. Raises `DiscoveryError`
    where the whole makes none.
    """
    if not isinstance(document, list):
        raise DiscoveryError("Consul's answer is not a list of instances")
    endpoints: list[Endpoint] = []
    notes: list[str] = []
    for entry in cast(list[object], document):
        try:
            endpoint = _instance(entry, tls=tls)
        except (AttributeError, InvalidEndpoint, KeyError, TypeError, ValueError) as error:
            notes.append(f"an instance cannot be used: {error}")
            continue
        if endpoint is not None:
            endpoints.append(endpoint)
    return endpoints, notes


def _instance(entry: Any, *, tls: bool) -> Endpoint | None:
    """One instance; None for one that fails a check, which Consul should have left out."""
    service = entry["Service"]
    if any(check.get("Status") == "critical" for check in entry.get("Checks") or ()):
        return None
    host = str(service.get("Address") or entry["Node"]["Address"]).lower()
    port = service["Port"]
    if not valid_host(host) or not isinstance(port, int) or not 0 < port < 65_536:
        raise InvalidEndpoint(f"{host!r} port {port!r} is no address")
    meta: dict[str, str] = service.get("Meta") or {}
    tags = [tag for tag in service.get("Tags") or () if _is_word(tag)]
    if version := meta.get("version", ""):
        tags.append(f"version={parse_word('version', version)}")
    weights: dict[str, Any] = service.get("Weights") or {}
    weight = meta["weight"] if "weight" in meta else str(weights.get("Passing") or 1)
    return Endpoint(
        host=host,
        port=port,
        tls=tls,
        weight=parse_weight(weight),
        zone=parse_word("zone", meta["zone"]) if meta.get("zone") else "",
        tags=tuple(tags),
    )


def _is_word(tag: object) -> bool:
    """Whether a tag can be chosen by; other software's tags may be anything, and do not disturb."""
    try:
        return isinstance(tag, str) and bool(parse_word("tag", tag))
    except InvalidEndpoint:
        return False
