"""Where the endpoints come from: lists, DNS, Consul."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dhatu_client import (
    ConfigurationError,
    ConsulEndpoints,
    DiscoveryError,
    DnsEndpoints,
    Endpoint,
    EndpointProvider,
    StaticEndpoints,
)
from dhatu_client._transport.over_httpx import AsyncHttpxTransport, HttpxTransport
from sdk.balance.servers import Consul, Names

Ask = Callable[[EndpointProvider], Sequence[Endpoint]]


def ask_sync(provider: EndpointProvider) -> Sequence[Endpoint]:
    transport = HttpxTransport()
    try:
        return provider.endpoints(transport)
    finally:
        transport.close()


def ask_async(provider: EndpointProvider) -> Sequence[Endpoint]:
    async def asking() -> Sequence[Endpoint]:
        transport = AsyncHttpxTransport()
        try:
            return await provider.aendpoints(transport)
        finally:
            await transport.aclose()

    return asyncio.run(asking())


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asking: Ask = request.param
    return asking


class TestStatic:
    def test_a_list_and_a_mapping(self, ask: Ask) -> None:
        assert ask(StaticEndpoints(["http://a.test/", "http://b.test"])) == (
            Endpoint("http://a.test"),
            Endpoint("http://b.test"),
        )
        assert ask(StaticEndpoints({"http://a.test": 2, "http://b.test": 0.5})) == (
            Endpoint("http://a.test", 2),
            Endpoint("http://b.test", 0.5),
        )
        assert ask(StaticEndpoints("http://a.test")) == (Endpoint("http://a.test"),)

    def test_it_is_asked_once(self) -> None:
        assert StaticEndpoints(["http://a.test"]).refresh_s == math.inf

    @pytest.mark.parametrize("urls", [[], ["a.test"], {"http://a.test": 0}, {"http://a.test": -1}])
    def test_what_is_no_list_of_addresses_is_refused(self, urls: Any) -> None:
        with pytest.raises(ConfigurationError):
            StaticEndpoints(urls)

    def test_no_secret_is_shown(self) -> None:
        assert "secret" not in repr(StaticEndpoints(["http://user:secret@a.test"]))


class TestDns:
    def test_every_address_is_an_endpoint_that_answers_to_the_name(self, ask: Ask, names: Names) -> None:
        names.addresses = ["192.0.2.1", "2001:db8::1", "192.0.2.1"]
        assert ask(DnsEndpoints("https://API.test/base/")) == (
            Endpoint("https://192.0.2.1/base", host="api.test"),
            Endpoint("https://[2001:db8::1]/base", host="api.test"),
        )
        assert names.asked == [("api.test", None, socket.AI_ADDRCONFIG)]

    def test_a_port_goes_along(self, ask: Ask, names: Names) -> None:
        names.addresses = ["192.0.2.1"]
        assert ask(DnsEndpoints("http://user:pw@api.test:8080")) == (
            Endpoint("http://user:pw@192.0.2.1:8080", host="api.test:8080"),
        )

    def test_an_address_is_its_own_endpoint(self, ask: Ask) -> None:
        assert ask(DnsEndpoints("http://127.0.0.1:8080")) == (Endpoint("http://127.0.0.1:8080"),)

    @pytest.mark.parametrize("name", ["nowhere.test", f"{'x' * 64}.test"])
    def test_a_name_without_an_address_is_a_clear_error(self, ask: Ask, names: Names, name: str) -> None:
        with pytest.raises(DiscoveryError, match="has no address"):
            ask(DnsEndpoints(f"https://{name}"))

    @pytest.mark.parametrize("values", [{"url": "api.test"}, {"url": "https://api.test", "refresh_s": 0}])
    def test_settings_that_cannot_work_are_refused(self, values: Any) -> None:
        with pytest.raises(ConfigurationError):
            DnsEndpoints(**values)

    def test_no_secret_is_shown(self) -> None:
        assert repr(DnsEndpoints("https://user:secret@api.test")) == "DnsEndpoints('https://api.test')"


class TestConsul:
    def test_healthy_instances_are_endpoints_with_their_weights(self, ask: Ask, consul: Consul) -> None:
        consul.know(8001, 8002, weight=3)
        found = ask(ConsulEndpoints(service="api", address=consul.server.url + "/"))
        assert found == (Endpoint("http://127.0.0.1:8001", 3), Endpoint("http://127.0.0.1:8002", 3))

    def test_what_is_asked_for(self, ask: Ask, consul: Consul) -> None:
        consul.know(8001)
        ask(ConsulEndpoints(service="a/b", address=consul.server.url, tag="v 2", datacenter="eu", token="t1"))
        ((path, headers),) = consul.server.seen
        parts = urlsplit(path)
        assert parts.path == "/v1/health/service/a%2Fb"
        assert parse_qs(parts.query) == {"passing": ["true"], "tag": ["v 2"], "dc": ["eu"]}
        assert headers["x-consul-token"] == "t1"

    def test_nothing_is_sent_that_was_not_given(self, ask: Ask, consul: Consul) -> None:
        consul.know(8001)
        ask(ConsulEndpoints(service="api", address=consul.server.url))
        ((path, headers),) = consul.server.seen
        assert path == "/v1/health/service/api?passing=true"
        assert "x-consul-token" not in headers

    def test_an_instance_without_an_address_has_its_nodes(self, ask: Ask, consul: Consul) -> None:
        consul.know(8001, address="", node="2001:db8::7")
        endpoints = ConsulEndpoints(
            service="api", address=consul.server.url, scheme="https", path="/api/", host="api.test"
        )
        assert ask(endpoints) == (Endpoint("https://[2001:db8::7]:8001/api", host="api.test"),)

    def test_a_service_without_a_healthy_instance_is_a_clear_error(self, ask: Ask, consul: Consul) -> None:
        with pytest.raises(DiscoveryError, match="could not say where api is: no instance passes"):
            ask(ConsulEndpoints(service="api", address=consul.server.url))

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>",
            b"{}",
            b'{"a": 1}',
            b"7",
            b"[1]",
            b"[null]",
            b'[{"Service": {"Address": "a", "Port": "x"}}]',
            b'[{"Service": {"Address": "a b", "Port": 99999}}]',
            b'[{"Service": {"Address": "", "Port": 1}}]',
            b"\xff",
        ],
    )
    def test_an_answer_that_is_not_consuls_is_a_clear_error(
        self, ask: Ask, consul: Consul, body: bytes
    ) -> None:
        consul.body = body
        with pytest.raises(DiscoveryError, match="not a list of instances"):
            ask(ConsulEndpoints(service="api", address=consul.server.url))

    @pytest.mark.parametrize(
        ("status", "advice"), [(500, "answered 500"), (403, "answered 403; check token=")]
    )
    def test_a_refusal_is_a_clear_error_that_never_shows_the_token(
        self, ask: Ask, consul: Consul, status: int, advice: str
    ) -> None:
        consul.status = status
        endpoints = ConsulEndpoints(service="api", address=consul.server.url, token="secret")
        with pytest.raises(DiscoveryError, match=advice) as raised:
            ask(endpoints)
        assert "secret" not in str(raised.value) + repr(endpoints)
        assert repr(endpoints).endswith("token='***')")

    def test_a_consul_that_is_not_there_is_a_clear_error(self, ask: Ask, consul: Consul) -> None:
        consul.server.kill()
        with pytest.raises(DiscoveryError, match=r"no answer \(connect\)") as raised:
            ask(ConsulEndpoints(service="api", address=consul.server.url))
        assert raised.value.__cause__ is not None

    @pytest.mark.parametrize(
        "values",
        [
            {"service": ""},
            {"service": "api", "address": "127.0.0.1:8500"},
            {"service": "api", "scheme": "ftp"},
            {"service": "api", "path": "api"},
            {"service": "api", "token": "line\n"},
            {"service": "api", "refresh_s": -1},
            {"service": "api", "timeout_s": 0},
        ],
    )
    def test_settings_that_cannot_work_are_refused(self, values: Any) -> None:
        with pytest.raises(ConfigurationError):
            ConsulEndpoints(**values)
