"""Consul over TLS: believed under its own name, by an authority that is named, and by no other."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from dhatu_gateway.core.discovery.consul import ConsulSource
from dhatu_gateway.core.discovery.http import JsonClient, ServerAccess
from dhatu_gateway.core.discovery.origin import ConsulOrigin
from dhatu_gateway.core.discovery.registration import OwnService, Registration
from dhatu_gateway.core.discovery.source import DiscoveryError
from dhatu_gateway.settings import read_settings
from dhatu_gateway.table import generated_table
from gateway.discovery.support import FakeConsul, entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """Two agents, one under its own name and one under another, that both ask for a certificate."""

    right: FakeConsul
    misnamed: FakeConsul
    directory: Path

    def access(self, agent: FakeConsul, **changed: str) -> ServerAccess:
        """As settings make it."""
        variables = {
            "CONSUL_URL": agent.url,
            "CONSUL_CA_FILE": str(self.directory / "ca.pem"),
            "CONSUL_CERTIFICATE_FILE": str(self.directory / "client.pem"),
            "CONSUL_KEY_FILE": str(self.directory / "client.key"),
        }
        environment = {"GATEWAY_DEMO": "1", **variables, **changed}
        access = read_settings(environment, generated_table().platform.services).discovery.consul
        assert access is not None
        return access


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Generator[Agents]:
    directory, authority, stranger = tmp_path_factory.mktemp("tls"), trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    stranger.cert_pem.write_to_path(directory / "stranger.pem")
    for name, made in (
        ("right", authority.issue_cert("127.0.0.1")),
        ("misnamed", authority.issue_cert("consul.example")),
    ):
        made.private_key_and_cert_chain_pem.write_to_path(directory / f"{name}.pem")
    for name, made in (("client", authority.issue_cert("gw")), ("unknown", stranger.issue_cert("gw"))):
        made.cert_chain_pems[0].write_to_path(directory / f"{name}.pem")
        made.private_key_pem.write_to_path(directory / f"{name}.key")
    context = ssl.create_default_context(cafile=directory / "ca.pem")
    context.check_hostname = False
    context.load_cert_chain(directory / "client.pem", directory / "client.key")
    right, misnamed = (
        FakeConsul((str(directory / f"{name}.pem"), str(directory / "ca.pem")), context)
        for name in ("right", "misnamed")
    )
    yield Agents(right=right, misnamed=misnamed, directory=directory)
    right.close()
    misnamed.close()


async def found(access: ServerAccess) -> list[str]:
    client = JsonClient(access)
    try:
        source = ConsulSource(ConsulOrigin(service="corpus", tls=False), client)
        return [endpoint.authority for endpoint in (await source.find()).endpoints]
    finally:
        await client.close()


async def test_endpoints_are_found_and_the_gateway_is_registered_over_tls(agents: Agents) -> None:
    agents.right.register("corpus", "c1", 8102)
    access = agents.access(agents.right)
    assert await found(access) == ["127.0.0.1:8102"]
    client = JsonClient(access)
    own = OwnService(name="edge", identifier="edge-1", port=8000)
    registration = Registration(own, client, lambda: True)
    try:
        await registration.beat()
        assert entry(agents.right, "edge-1") is not None
        await registration.withdraw()
        assert entry(agents.right, "edge-1") is None
    finally:
        await client.close()


async def test_an_agent_under_another_name_is_not_believed(agents: Agents) -> None:
    agents.misnamed.register("corpus", "c1", 8102)
    with pytest.raises(DiscoveryError, match=r"cannot be reached.*certificate is not valid for '127.0.0.1'"):
        await found(agents.access(agents.misnamed))


async def test_an_agent_by_an_authority_that_is_not_named_is_not_believed(agents: Agents) -> None:
    stranger = str(agents.directory / "stranger.pem")
    with pytest.raises(DiscoveryError, match=r"cannot be reached.*certificate verify failed"):
        await found(agents.access(agents.right, CONSUL_CA_FILE=stranger))
    with pytest.raises(DiscoveryError, match=r"cannot be reached.*certificate verify failed"):
        await found(agents.access(agents.right, CONSUL_CA_FILE=""))


async def test_without_a_certificate_that_the_agent_knows_it_tells_nothing(agents: Agents) -> None:
    nothing = {"CONSUL_CERTIFICATE_FILE": "", "CONSUL_KEY_FILE": ""}
    unknown = {
        "CONSUL_CERTIFICATE_FILE": str(agents.directory / "unknown.pem"),
        "CONSUL_KEY_FILE": str(agents.directory / "unknown.key"),
    }
    for changed in (nothing, unknown):
        with pytest.raises(DiscoveryError, match="cannot be reached"):
            await found(agents.access(agents.right, **changed))
