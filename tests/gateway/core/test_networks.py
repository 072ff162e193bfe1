"""An operation may take calls from some networks only, whatever the client claims."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.clients import ClientNetworks, parse_networks
from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.networks import build_networks
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.types import Networks
from gateway.support import compose, make_route, serving


def only(*allow: str, deny: tuple[str, ...] = ()) -> Networks:
    return Networks(allow=allow, deny=deny)


@pytest.mark.parametrize(
    ("networks", "status"),
    [
        (only("127.0.0.0/8"), 200),
        (only("127.0.0.0/8", "2001:db8::/32", deny=("127.0.0.2",)), 200),
        (only(deny=("10.0.0.0/8",)), 200),
        (only("10.0.0.0/8"), 403),
        (only(deny=("127.0.0.0/8",)), 403),
        (only("127.0.0.1", deny=("127.0.0.0/8",)), 403),
    ],
)
async def test_calls_are_taken_from_the_networks_of_the_operation(networks: Networks, status: int) -> None:
    bench = compose(make_route(networks=networks), make_route("GET", "/api/v1/open"))
    async with serving(bench.edge) as client:
        claim = {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1"}
        assert (await client.request("GET", "/api/v1/things", headers=claim)).status == status
        assert (await client.request("GET", "/api/v1/open")).status == 200
    assert len(bench.upstream.requests) == (2 if status == 200 else 1)


async def test_it_is_about_the_client_of_a_trusted_proxy() -> None:
    bench = compose(
        make_route(networks=only("192.0.2.0/24")),
        clients=ClientNetworks(trusted_proxies=parse_networks("127.0.0.1")),
    )
    async with serving(bench.edge) as client:
        for forwarded, status in (("192.0.2.7", 200), ("192.0.2.7, 198.51.100.1", 403), ("2001:db8::1", 403)):
            reply = await client.request("GET", "/api/v1/things", headers={"X-Forwarded-For": forwarded})
            assert reply.status == status


async def test_who_may_not_call_is_not_asked_who_they_are() -> None:
    def authenticate(exchange: Exchange) -> None:
        raise AssertionError

    policies = Policies(
        authenticate=lambda route: authenticate, authorize=lambda route: None, rate_limit=lambda route: None
    )
    async with serving(compose(make_route(networks=only("10.0.0.0/8")), policies=policies).edge) as client:
        reply = await client.request("GET", "/api/v1/things")
    assert (reply.status, reply.json["detail"]) == (403, "This operation takes no calls from this address.")


def test_a_route_for_everybody_has_no_stage_and_a_bad_network_stops_the_boot() -> None:
    assert build_networks(make_route()) is None
    with pytest.raises(ValueError, match="such as"):
        build_networks(make_route(networks=only("10.1.2.3/8")))
