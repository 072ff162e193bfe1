"""Endpoints by DNS: every address of a name and every target of its SRV records, for as long as they hold."""

from __future__ import annotations

import dns.rcode
import pytest
from dhatu_gateway.core.discovery.dns import DnsSource, SrvSource, build_resolver
from dhatu_gateway.core.discovery.origin import DnsOrigin, Nameserver, SrvOrigin
from dhatu_gateway.core.discovery.source import DiscoveryError, Found
from gateway.discovery.dns_server import Zone, dns_server

NAME = "corpus.test"
SRV_NAME = "_corpus._tcp.test"


def addresses_of(server: Nameserver, families: tuple[int, ...] = (4, 6), name: str = NAME) -> DnsSource:
    origin = DnsOrigin(name=name, port=8102, tls=False, families=families)
    return DnsSource(origin, build_resolver([server]))


def targets_of(server: Nameserver) -> SrvSource:
    return SrvSource(SrvOrigin(name=SRV_NAME, tls=True, families=(4,)), build_resolver([server]))


def shown(found: Found) -> list[tuple[str, float]]:
    return sorted((endpoint.authority, round(endpoint.weight, 3)) for endpoint in found.endpoints)


async def test_every_address_of_a_name_is_an_endpoint_that_is_called_by_it() -> None:
    async with dns_server() as (zone, server):
        zone.put(NAME, "A", "127.0.0.1", "127.0.0.2", ttl=30)
        zone.put(NAME, "AAAA", "::1", ttl=20)
        found = await addresses_of(server).find()
    assert shown(found) == [("127.0.0.1:8102", 1), ("127.0.0.2:8102", 1), ("[::1]:8102", 1)]
    assert {endpoint.host_header for endpoint in found.endpoints} == {"corpus.test:8102"}
    assert found.fresh_s == 20


@pytest.mark.parametrize(("ttl", "fresh_s"), [(0, 1), (1, 1), (60, 60), (86_400, 300)])
async def test_records_hold_for_their_time_to_live_within_bounds(ttl: int, fresh_s: float) -> None:
    async with dns_server() as (zone, server):
        zone.put(NAME, "A", "127.0.0.1", ttl=ttl)
        assert (await addresses_of(server).find()).fresh_s == fresh_s


async def test_a_name_is_asked_for_again_in_each_round() -> None:
    async with dns_server() as (zone, server):
        source = addresses_of(server, families=(4,))
        zone.put(NAME, "A", "127.0.0.1")
        await source.find()
        zone.put(NAME, "A", "127.0.0.2")
        assert shown(await source.find()) == [("127.0.0.2:8102", 1)]
        assert zone.asked == [(f"{NAME}.", "A")] * 2


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_half_an_answer_is_none(rcode: dns.rcode.Rcode) -> None:
    async with dns_server() as (zone, server):
        zone.put(NAME, "A", "127.0.0.1")
        zone.rcode["AAAA"] = rcode
        with pytest.raises(DiscoveryError, match=r"AAAA of corpus\.test: no nameserver could answer"):
            await addresses_of(server).find()
        assert shown(await addresses_of(server, families=(4,)).find()) == [("127.0.0.1:8102", 1)]


async def test_a_name_that_does_not_exist_is_an_error_that_says_so() -> None:
    async with dns_server() as (_, server):
        with pytest.raises(DiscoveryError, match=r"corpus\.test does not exist, or has no address"):
            await addresses_of(server).find()


async def test_a_nameserver_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dhatu_gateway.core.discovery.dns.LIFETIME_S", 0.2)
    async with dns_server() as (zone, server):
        zone.silent = True
        with pytest.raises(DiscoveryError, match=r"no nameserver answered within 0\.2 s"):
            await addresses_of(server).find()


async def test_an_answer_too_large_for_a_datagram_comes_over_tcp() -> None:
    async with dns_server() as (zone, server):
        zone.truncated = True
        zone.put(NAME, "A", *[f"10.0.{index // 250}.{index % 250 + 1}" for index in range(500)])
        assert len((await addresses_of(server, families=(4,)).find()).endpoints) == 500


def targets(zone: Zone, *records: str, ttl: int = 60) -> None:
    zone.put(SRV_NAME, "SRV", *records, ttl=ttl)


async def test_targets_have_their_own_ports_weights_and_names() -> None:
    async with dns_server() as (zone, server):
        targets(zone, "1 3 8001 a.test.", "1 1 8002 b.test.", ttl=50)
        zone.put("a.test", "A", "10.0.0.1", ttl=40)
        zone.put("b.test", "A", "10.0.0.2", "10.0.0.3", ttl=60)
        found = await targets_of(server).find()
    assert shown(found) == [("10.0.0.1:8001", 3), ("10.0.0.2:8002", 0.5), ("10.0.0.3:8002", 0.5)]
    assert sorted({endpoint.host_header for endpoint in found.endpoints}) == ["a.test:8001", "b.test:8002"]
    assert all(endpoint.tls for endpoint in found.endpoints)
    assert found.fresh_s == 40


async def test_only_the_best_priority_that_has_an_address_counts() -> None:
    async with dns_server() as (zone, server):
        targets(zone, "2 1 8002 b.test.", "1 1 8001 a.test.", "3 1 8003 c.test.")
        zone.put("b.test", "A", "10.0.0.2")
        zone.put("c.test", "A", "10.0.0.3")
        found = await targets_of(server).find()
        assert (shown(found), found.notes) == ([("10.0.0.2:8002", 1)], ("a.test has no address",))
        zone.put("a.test", "A", "10.0.0.1")
        assert shown(await targets_of(server).find()) == [("10.0.0.1:8001", 1)]


async def test_a_weight_of_zero_is_a_small_chance_unless_all_are_zero() -> None:
    async with dns_server() as (zone, server):
        zone.put("a.test", "A", "10.0.0.1")
        zone.put("b.test", "A", "10.0.0.2")
        targets(zone, "1 0 80 a.test.", "1 0 80 b.test.")
        assert {weight for _, weight in shown(await targets_of(server).find())} == {1}
        targets(zone, "1 0 80 a.test.", "1 5 80 b.test.")
        assert [weight for _, weight in shown(await targets_of(server).find())] == [0.01, 5]


async def test_a_target_that_nobody_could_look_up_fails_the_round() -> None:
    async with dns_server() as (zone, server):
        targets(zone, "1 1 80 a.test.")
        zone.rcode["A"] = dns.rcode.SERVFAIL
        with pytest.raises(DiscoveryError, match=r"A of a\.test"):
            await targets_of(server).find()


@pytest.mark.parametrize("records", [[], ["0 0 0 ."], ["0 0 80 nowhere.test."]])
async def test_without_a_target_there_is_no_answer(records: list[str]) -> None:
    async with dns_server() as (zone, server):
        if records:
            targets(zone, *records)
        with pytest.raises(DiscoveryError, match=SRV_NAME):
            await targets_of(server).find()
