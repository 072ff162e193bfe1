"""Header spoofing: what a client claims about itself, or makes the gateway drop, reaches no service."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.clients import ClientNetworks, parse_networks
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.attacks.support import POST, attacked
from gateway.support import compose, make_route, serving

FORGED = (
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix"),
    *("X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Forwarded-User", "X-Forwarded"),
    *("X-Forwarded-Client-Cert", "X-Forwarded-Uri", "X-Forwarded-Email", "Forwarded", "Forwarded-For"),
    *("X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP"),
    *("Fastly-Client-IP", "X-Envoy-External-Address", "X-Original-URL", "X-Original-URI", "X-Rewrite-URL"),
    *("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Host", "X-Original-Host", "Proxy"),
    *("X-Dhatu-Principal", "x-dhatu-principal", "X-Dhatu-Scopes", "X-Dhatu-Anything", "X-Remote-User"),
    *("Remote-User", "X-User", "X-User-Id", "X-Authenticated-User", "X-Authenticated-Userid"),
    *("X-Consumer-Username", "X-Consumer-Custom-Id", "X-Credential-Identifier", "X-Auth-Request-User"),
    *("X-WebAuth-User", "SSL-Client-Cert", "X-SSL-Client-Cert", "X-Client-Cert", "Front-End-Https"),
    *("Client-Cert", "Client-Cert-Chain", "SSL-Client-Verify", "SSL-Client-Subject-DN", "X-SSL-Client-S-DN"),
    *("X-Amzn-Mtls-Clientcert", "X-ARR-ClientCert"),
    *("X_Dhatu_Principal", "X_Forwarded_For", "Remote_User", "Content_Type", "X-Dhatu_Principal"),
    *("Authorization", "X-API-Key", "Proxy-Authorization", "TE", "Trailer", "Upgrade-Insecure_Requests"),
    *("Keep-Alive", "Proxy-Connection", "HTTP2-Settings"),
)


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_field_reaches_no_service(name: str) -> None:
    async with attacked() as target:
        reply = await target.client.request("GET", "/api/v1/things", headers={name: "forged"})
    assert reply.status == 200
    assert "forged" not in dict(reply.json["headers"]).values()


async def test_a_forged_identity_does_not_stand_beside_the_true_one() -> None:
    def authenticate(exchange: Exchange) -> None:
        exchange.principal = Principal(id="user:ada", kind="user", scopes=frozenset(), roles=frozenset())

    policies = Policies(
        authenticate=lambda route: authenticate, authorize=lambda route: None, rate_limit=lambda route: None
    )
    names = ("X-Dhatu-Principal", "x-dhatu-PRINCIPAL", "X_Dhatu_Principal", "X-Dhatu_Principal")
    async with serving(compose(make_route(), policies=policies).edge) as client:
        reply = await client.request("GET", "/api/v1/things", headers=dict.fromkeys(names, "user:root"))
    principals = [value for name, value in reply.json["headers"] if "principal" in name.lower()]
    assert principals == ["user:ada"]


async def test_fields_named_by_connection_stay_behind_and_the_gateways_own_do_not() -> None:
    named = "close, X-Hop, X-Forwarded-For, X-Forwarded-Host, X-Request-Id, X-Dhatu-Timeout-Ms, Accept"
    async with attacked() as target:
        reply = await target.client.request(
            "GET", "/api/v1/things", headers={"Connection": named, "X-Hop": "1", "Accept": "*/*"}
        )
    headers = dict(reply.json["headers"])
    assert not {"x-hop", "accept", "connection"} & headers.keys()
    assert {"x-forwarded-for", "x-forwarded-host", "x-request-id", "x-dhatu-timeout-ms"} <= headers.keys()


@pytest.mark.parametrize("value", ["Content-Type, Content-Encoding", "content-type,content-encoding"])
async def test_connection_does_not_change_how_a_body_is_read(value: str) -> None:
    fields = {"Connection": value, "Content-Type": "text/plain", "Content-Encoding": "br"}
    async with attacked() as target:
        reply = await target.client.request("POST", "/api/v1/things", b"x", fields)
    headers = dict(reply.json["headers"])
    assert (headers["content-type"], headers["content-encoding"]) == ("text/plain", "br")


async def test_connection_cannot_drop_a_credential_before_it_is_checked() -> None:
    seen: list[bytes | None] = []

    def authenticate(exchange: Exchange) -> None:
        seen.append(exchange.fields.get(b"authorization"))

    policies = Policies(
        authenticate=lambda route: authenticate, authorize=lambda route: None, rate_limit=lambda route: None
    )
    async with serving(compose(POST, policies=policies).edge) as client:
        fields = {"Connection": "Authorization", "Authorization": "Bearer x"}
        await client.request("POST", "/api/v1/things", headers=fields)
    assert seen == [b"Bearer x"]


async def test_what_a_service_says_of_itself_reaches_no_client() -> None:
    names = (
        *("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-dhatu_secret"),
        *("connection", "keep-alive", "proxy-authenticate", "access-control-allow-origin"),
    )

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        headers = [
            (name.encode(), b"telling/1.2") for name in names if name not in ("connection", "keep-alive")
        ]
        sink.start(200, [*headers, (b"content-length", b"0")])
        await sink.body(b"", False)

    async with attacked() as target:
        target.bench.upstream.answer = answer
        reply = await target.client.request("GET", "/api/v1/things")
    assert "telling/1.2" not in {
        value for name, value in reply.headers.items() if name != "proxy-authenticate"
    }


CLAIMS = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https", "Forwarded": "for=9.9.9.9;proto=https"}


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"),
    [("", "127.0.0.1", "http"), ("10.0.0.0/8", "127.0.0.1", "http"), ("127.0.0.0/8", "9.9.9.9", "https")],
    ids=["nobody is trusted", "somebody else is trusted", "the peer is trusted"],
)
async def test_an_address_is_believed_of_a_trusted_proxy_only(trusted: str, client: str, scheme: str) -> None:
    networks = ClientNetworks(trusted_proxies=parse_networks(trusted))
    async with serving(compose(make_route(), clients=networks).edge) as wire:
        seen = dict((await wire.request("GET", "/api/v1/things", headers=CLAIMS)).json["headers"])
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == (client, scheme)


async def test_a_repeated_field_does_not_hide_what_the_proxy_has_added() -> None:
    networks = ClientNetworks(trusted_proxies=parse_networks("127.0.0.1"))
    fields = b"Host: a\r\nX-Forwarded-For: 9.9.9.9\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
    async with serving(compose(make_route(), clients=networks).edge) as wire:
        reply = await wire.send(b"GET /api/v1/things HTTP/1.1\r\n" + fields)
    assert dict(reply.json["headers"])["x-forwarded-for"] == "192.0.2.1"


async def test_a_denied_client_gets_nowhere_by_claiming_another_address() -> None:
    networks = ClientNetworks(denied=parse_networks("127.0.0.0/8"))
    bench = compose(make_route(), clients=networks)
    async with serving(bench.edge) as wire:
        for path in ("/api/v1/things", "/no"):
            reply = await wire.request("GET", path, headers=CLAIMS)
            assert (reply.status, reply.json["title"]) == (403, "Forbidden")
    assert bench.upstream.requests == []
    assert bench.counts.refusals == ["forbidden", "forbidden"]
