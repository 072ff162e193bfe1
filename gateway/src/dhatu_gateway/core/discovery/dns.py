"""Endpoints by DNS: the addresses of a name, or SRV records, asked again when their time to live is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.IN.SRV import SRV

from dhatu_gateway.core.discovery.origin import DnsOrigin, Nameserver, SrvOrigin
from dhatu_gateway.core.discovery.source import DiscoveryError, Found, Kind
from dhatu_gateway.core.upstream.discovery import Endpoint

LIFETIME_S: Final = 5.0
"""For one question, over all nameservers."""
LEAST_TTL_S: Final = 1.0
"""Records that live shorter are asked for this often: a TTL of 0 is no reason to ask all the time."""
LONGEST_TTL_S: Final = 300.0
"""Records that live longer are asked for this often, so that a mistake in a zone does not last for a day."""
_ZERO_WEIGHT: Final = 0.01
"""RFC 2782: a weight of 0 beside others means a very small chance of being selected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one SRV record says."""

    name: str
    port: int
    priority: int
    weight: int


def build_resolver(nameservers: Sequence[Nameserver]) -> dns.asyncresolver.Resolver:
    """Asks these, or those of the system where none are named."""
    resolver = dns.asyncresolver.Resolver(configure=not nameservers)
    if nameservers:
        resolver.nameservers = [server.host for server in nameservers]
        resolver.nameserver_ports = {server.host: server.port for server in nameservers}
    resolver.lifetime = LIFETIME_S
    return resolver


class DnsSource:
    """The addresses of a name."""

    kind: Kind = "dns"

    def __init__(self, origin: DnsOrigin, resolver: dns.asyncresolver.Resolver) -> None:
        self._origin = origin
        self._lookup = Lookup(resolver, origin.families)

    async def find(self) -> Found:
        origin = self._origin
        addresses, ttl_s = await self._lookup.addresses(origin.name)
        if not addresses:
            raise DiscoveryError(f"{origin.name} does not exist, or has no address")
        name = origin.name.rstrip(".")
        endpoints = [
            Endpoint(host=address, port=origin.port, tls=origin.tls, found_as=name) for address in addresses
        ]
        return Found(endpoints=tuple(endpoints), fresh_s=_bounded(ttl_s))

    async def close(self) -> None:
        """Nothing is kept open."""


class SrvSource:
    """The targets of SRV records (RFC 2782): those of the best priority that have an address."""

    kind: Kind = "srv"

    def __init__(self, origin: SrvOrigin, resolver: dns.asyncresolver.Resolver) -> None:
        self._origin = origin
        self._lookup = Lookup(resolver, origin.families)

    async def find(self) -> Found:
        name, tls = self._origin.name, self._origin.tls
        targets, ttl_s = await self._lookup.targets(name)
        notes: list[str] = []
        for group in by_priority(targets):
            endpoints: list[Endpoint] = []
            for target, weight in weighted(group):
                addresses, address_ttl_s = await self._lookup.addresses(target.name)
                ttl_s = min(ttl_s, address_ttl_s)
                if not addresses:
                    notes.append(f"{target.name} has no address")
                endpoints += [
                    Endpoint(
                        host=address,
                        port=target.port,
                        tls=tls,
                        weight=weight / len(addresses),
                        found_as=target.name,
                    )
                    for address in addresses
                ]
            if endpoints:
                return Found(endpoints=tuple(endpoints), fresh_s=_bounded(ttl_s), notes=tuple(notes))
        raise DiscoveryError("; ".join([f"{name} names no target with an address", *notes]))

    async def close(self) -> None:
        """Nothing is kept open."""


def dns_source(origin: DnsOrigin | SrvOrigin, nameservers: Sequence[Nameserver]) -> DnsSource | SrvSource:
    """What asks these nameservers, or those of the system where none are named."""
    resolver = build_resolver(nameservers)
    return DnsSource(origin, resolver) if isinstance(origin, DnsOrigin) else SrvSource(origin, resolver)


def by_priority(targets: Sequence[Target]) -> list[list[Target]]:
    """Groups of equal priority, the best first; the lowest number is the best."""
    numbers = sorted({target.priority for target in targets})
    return [[target for target in targets if target.priority == number] for number in numbers]


def weighted(targets: Sequence[Target]) -> list[tuple[Target, float]]:
    """The weights beside each other; all the same where all are 0."""
    if not any(target.weight for target in targets):
        return [(target, 1.0) for target in targets]
    return [(target, target.weight or _ZERO_WEIGHT) for target in targets]


class Lookup:
    """Asks for records, and says shortly what went wrong."""

    def __init__(self, resolver: dns.asyncresolver.Resolver, families: Sequence[int]) -> None:
        self._resolver = resolver
        self._types = ["A" if family == 4 else "AAAA" for family in families]

    async def addresses(self, name: str) -> tuple[list[str], float]:
        """All addresses, and for how many seconds they hold; none where the name does not exist.

        A question that is not answered fails the whole: half an answer would take endpoints away.
        """
        found: list[str] = []
        ttl_s = LONGEST_TTL_S
        for record_type in self._types:
            answer = await self._ask(name, record_type)
            if answer is not None and answer.rrset is not None:
                found += [str(record) for record in cast(Iterable[Rdata], answer.rrset)]
                ttl_s = min(ttl_s, answer.rrset.ttl)
        return found, ttl_s

    async def targets(self, name: str) -> tuple[list[Target], float]:
        answer = await self._ask(name, "SRV")
        if answer is None or answer.rrset is None:
            raise DiscoveryError(f"{name} does not exist, or has no SRV record")
        records = cast(Iterable[SRV], answer.rrset)
        return [
            Target(
                name=record.target.to_text(omit_final_dot=True),
                port=record.port,
                priority=record.priority,
                weight=record.weight,
            )
            for record in records
            if record.target != dns.name.root and record.port  # the root: decidedly not available here
        ], answer.rrset.ttl

    async def _ask(self, name: str, record_type: str) -> dns.resolver.Answer | None:
        try:
            return await self._resolver.resolve(name, record_type, search=True)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except (dns.exception.DNSException, OSError) as error:
            raise DiscoveryError(f"{record_type} of {name}: {_shortly(error)}") from error


def _shortly(error: Exception) -> str:
    match error:
        case dns.exception.Timeout():
            return f"no nameserver answered within {LIFETIME_S:g} s"
        case dns.resolver.NoNameservers():
            return "no nameserver could answer (SERVFAIL or REFUSED)"
        case _:
            return str(error) or type(error).__name__


def _bounded(ttl_s: float) -> float:
    return min(max(ttl_s, LEAST_TTL_S), LONGEST_TTL_S)
