"""Whole clients of several endpoints, over real sockets."""

from __future__ import annotations

import asyncio
import datetime
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, get_args

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dhatu_client import (
    BalancePolicy,
    ConnectionFailedError,
    ConsulEndpoints,
    DiscoveryError,
    DnsEndpoints,
    EndpointEjected,
    EndpointRestored,
    Resilience,
)
from dhatu_client._balance.policy import Algorithm
from dhatu_client._call import ApiSpec
from dhatu_client._client import AsyncAPIClient
from sdk.balance.servers import Consul, Instance, Names, running
from sdk.support import API, Caller, SyncCaller, operation

Connect = Callable[..., Caller]


class SampleAPI(AsyncAPIClient):
    _api: ClassVar[ApiSpec] = API


@pytest.mark.parametrize("algorithm", get_args(Algorithm))
@pytest.mark.parametrize("retry", ["safe", "idempotent", "keyed"])
def test_a_killed_endpoint_costs_no_failed_call(connect: Connect, algorithm: Algorithm, retry: Any) -> None:
    events: list[Any] = []
    with running(3) as instances:
        caller = connect(
            base_url=[instance.url for instance in instances],
            resilience=Resilience(balance=BalancePolicy(algorithm=algorithm)),
            on_event=events.append,
        )
        read = operation(retry=retry)
        for _ in range(30):
            assert caller.call(read) == {}
        assert all(instance.seen for instance in instances)
        instances[1].kill()
        for _ in range(100):
            assert caller.call(read) == {}
            caller.time.now += 0.05
    ejections = [event for event in events if isinstance(event, EndpointEjected)]
    assert [event.endpoint for event in ejections] == [instances[1].url]


def test_what_must_not_be_repeated_fails_over_where_nothing_was_sent(connect: Connect) -> None:
    with running(2) as instances:
        instances[0].kill()
        caller = connect(base_url=[instance.url for instance in instances])
        for _ in range(20):
            assert caller.call(operation(method="GET", retry="never")) == {}
        assert len(instances[1].seen) == 20


def test_calls_in_threads_lose_nothing_where_an_endpoint_is_not_there() -> None:
    """More of them fail at once than the retry budget would pay for."""
    together = threading.Barrier(20)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "gone.test":
            together.wait(timeout=10)
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={})

    caller = SyncCaller(
        answer,
        base_url=["https://here.test", "https://gone.test"],
        resilience=Resilience(balance=BalancePolicy(algorithm="round_robin")),
    )
    with ThreadPoolExecutor(40) as threads:
        calls = [threads.submit(caller.call, operation(retry="never")) for _ in range(40)]
        assert [call.result() for call in calls] == [{}] * 40
    caller.close()


async def test_calls_in_tasks_lose_nothing_where_an_endpoint_is_not_there() -> None:
    with running(2) as instances:
        instances[1].kill()
        async with SampleAPI(base_url=[instance.url for instance in instances]) as client:
            calls = [client.call(operation(retry="never"), {}, {}) for _ in range(100)]
            assert await asyncio.gather(*calls) == [{}] * 100


def test_an_endpoint_that_comes_back_is_used_again(connect: Connect) -> None:
    events: list[Any] = []
    ill = True

    def answer(path: str) -> tuple[int, bytes]:
        return (503 if ill else 200), b"{}"

    with running(1) as (well,), running(1, answer) as (patient,):
        caller = connect(base_url=[well.url, patient.url], on_event=events.append)
        for _ in range(60):
            caller.call(operation())
        turned_away = len(patient.seen)
        assert turned_away == 5
        ill = False
        caller.time.now += 60
        for _ in range(60):
            caller.call(operation())
        assert len(patient.seen) > turned_away + 10
    restored = [event for event in events if isinstance(event, EndpointEjected | EndpointRestored)]
    assert [type(event) for event in restored] == [EndpointEjected, EndpointRestored]


def test_weights_are_kept(connect: Connect) -> None:
    with running(2) as (small, large):
        caller = connect(
            base_url={small.url: 1, large.url: 3},
            resilience=Resilience(balance=BalancePolicy(algorithm="weighted")),
        )
        for _ in range(40):
            caller.call(operation())
        assert (len(small.seen), len(large.seen)) == (10, 30)


def test_instances_that_consul_knows_are_followed(connect: Connect, consul: Consul) -> None:
    with running(3) as instances:
        consul.know(*(instance.port for instance in instances[:2]))
        provider = ConsulEndpoints(service="api", address=consul.server.url, token="secret", refresh_s=10)
        caller = connect(base_url=provider)
        for _ in range(20):
            caller.call(operation())
        assert [bool(instance.seen) for instance in instances] == [True, True, False]
        assert len(consul.server.seen) == 1

        instances[0].kill()
        consul.know(*(instance.port for instance in instances[1:]))
        caller.time.now += 11
        for _ in range(20):
            caller.call(operation())
        assert instances[2].seen

        consul.server.kill()  # the last list holds
        caller.time.now += 60
        for _ in range(20):
            caller.call(operation())
        assert "secret" not in repr(caller.client)


def test_the_first_failure_of_a_provider_is_the_callers(connect: Connect, consul: Consul) -> None:
    caller = connect(base_url=ConsulEndpoints(service="api", address=consul.server.url))
    with pytest.raises(DiscoveryError, match="no instance passes"):
        caller.call(operation())
    with running(1) as (instance,):
        consul.know(instance.port)
        assert caller.call(operation()) == {}


class Tls:
    """A server whose certificate is for `api.test`, and the names that it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "api.test.pem"
        self.asked_for: list[str | None] = []
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.test")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.test")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        context.sni_callback = lambda connection, name, _: self.asked_for.append(name)
        self.server = Instance(lambda path: (200, b"{}"), context)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tls]:
    tls = Tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    yield tls
    tls.server.kill()


def test_an_address_found_by_dns_answers_to_the_name_and_proves_it(
    connect: Connect, names: Names, tls: Tls
) -> None:
    names.addresses = ["127.0.0.1"]
    caller = connect(base_url=DnsEndpoints(f"https://api.test:{tls.server.port}/base"))
    assert caller.call(operation()) == {}
    ((path, headers),) = tls.server.seen
    assert path == "/base/documents"
    assert headers["host"] == f"api.test:{tls.server.port}"
    assert tls.asked_for == ["api.test"]


def test_a_certificate_for_another_name_is_not_taken(connect: Connect, names: Names, tls: Tls) -> None:
    names.addresses = ["127.0.0.1"]
    caller = connect(base_url=DnsEndpoints(f"https://other.test:{tls.server.port}"), max_retries=0)
    with pytest.raises(ConnectionFailedError, match="CERTIFICATE_VERIFY_FAILED"):
        caller.call(operation())
    assert tls.server.seen == []


def test_a_client_of_one_endpoint_does_not_pay_for_balancing() -> None:
    program = (
        "import sys, json, dhatu_client; dhatu_client.SyncDhatuAPI(base_url='http://127.0.0.1').close();"
        "print(json.dumps([name for name in sys.modules if '_balance' in name]))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert json.loads(printed.stdout) == []
