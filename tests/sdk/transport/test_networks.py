"""What lies between a client and its server: proxies, TLS, client certificates, HTTP/2."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client._errors import (
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    TransportError,
)
from sdk.support import AsyncCaller, Caller, Server, SyncCaller, operation
from sdk.transport.peers import Connect, SampleAPI, SyncSampleAPI, Website

trustme = pytest.importorskip("trustme", reason="trustme is not installed")

Publish = Callable[..., Website]


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "api.sample.test").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def trusted(authority: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority is what the environment trusts."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.mark.parametrize("scheme", ["", "http://", "http://me:s3cret@"])
def test_the_environment_names_a_proxy(
    connect: Connect, publish: Publish, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    proxy = publish()
    monkeypatch.setenv("http_proxy", f"{scheme}127.0.0.1:{proxy.port}")
    said = connect(base_url="http://nowhere.test/base").call(operation())
    assert said["target"] == "http://nowhere.test/base/documents"
    assert said["headers"]["host"] == "nowhere.test"
    assert said["headers"].get("proxy-authorization") == ("Basic bWU6czNjcmV0" if "@" in scheme else None)


def test_the_environment_excepts_hosts_from_a_proxy(
    connect: Connect, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = publish()
    monkeypatch.setenv("all_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert connect(base_url=publish().url).call(operation())["target"] == "/documents"
    assert proxy.requests == []


@pytest.mark.usefixtures("trusted")
def test_tls_goes_through_a_proxy_unseen(
    connect: Connect, publish: Publish, monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext
) -> None:
    proxy, site = publish(), publish(tls=server_tls)
    monkeypatch.setenv("https_proxy", proxy.url)
    said = connect(base_url=site.url).call(operation())
    assert said["target"] == "/documents"
    assert [(seen["method"], seen["target"]) for seen in proxy.requests] == [
        ("CONNECT", f"127.0.0.1:{site.port}")
    ]


def test_a_proxy_that_is_not_there_is_no_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(ConnectionFailedError):
        connect(base_url="http://nowhere.test", max_retries=0).call(operation())


async def test_aiohttp_says_which_proxies_it_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp", reason="the extra aiohttp is not installed")
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    async with SampleAPI(base_url="http://nowhere.test", http_client="aiohttp") as client:
        with pytest.raises(ConfigurationError, match="no socks5 proxies"):
            await client.call(operation(), {}, {})


@pytest.mark.usefixtures("trusted")
def test_the_environment_says_whom_to_trust(
    connect: Connect, publish: Publish, server_tls: ssl.SSLContext
) -> None:
    assert connect(base_url=publish(tls=server_tls).url).call(operation())["method"] == "GET"


def test_an_unknown_authority_is_no_connection(
    connect: Connect, publish: Publish, server_tls: ssl.SSLContext
) -> None:
    with pytest.raises(ConnectionFailedError, match=r"(?i)certificate"):
        connect(base_url=publish(tls=server_tls).url, max_retries=0).call(operation())


async def test_a_client_shows_its_certificate(
    publish: Publish, library: str, authority: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    server_tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_tls)
    site = publish(tls=server_tls)
    async with over_tls(library, client_tls) as http:
        client = SampleAPI(base_url=site.url, http_client=http, max_retries=0)
        with pytest.raises(TransportError):  # in TLS 1.3 the refusal comes after the handshake
            await client.call(operation(), {}, {})
    authority.issue_cert("robot@sample.test").configure_cert(client_tls)
    async with over_tls(library, client_tls) as http:
        client = SampleAPI(base_url=site.url, http_client=http)
        said: Any = await client.call(operation(), {}, {})
    assert said["method"] == "GET"


@pytest.mark.parametrize("colour", [AsyncCaller, SyncCaller])
def test_tls_that_ends_in_an_error_is_a_lost_connection(colour: Callable[..., Caller]) -> None:
    caller = colour(Server(ssl.SSLError(1, "certificate required")), max_retries=0)
    with pytest.raises(ConnectionLostError, match="certificate required"):
        caller.call(operation())
    caller.close()


def test_a_sync_client_shows_its_certificate(
    publish: Publish, authority: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    server_tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_tls)
    authority.issue_cert("robot@sample.test").configure_cert(client_tls)
    with httpx.Client(verify=client_tls) as http:
        said: Any = SyncSampleAPI(base_url=publish(tls=server_tls).url, http_client=http).call(
            operation(), {}, {}
        )
    assert said["method"] == "GET"


def over_tls(library: str, context: ssl.SSLContext) -> Any:
    if library == "httpx":
        return httpx.AsyncClient(verify=context)
    import aiohttp

    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))


async def test_an_httpx_client_brings_its_proxy(publish: Publish) -> None:
    proxy = publish()
    async with httpx.AsyncClient(proxy=proxy.url) as http:
        said: Any = await SampleAPI(base_url="http://nowhere.test", http_client=http).call(
            operation(), {}, {}
        )
    assert said["target"] == "http://nowhere.test/documents"


@pytest.fixture
def http2_site(server_tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """The address of a server that speaks nothing but HTTP/2."""
    pytest.importorskip("h2", reason="the extra http2 is not installed")
    caplog.set_level(logging.WARNING, logger="hpack")
    server_tls.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_http2, args=(listener, server_tls))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def serve_http2(listener: socket.socket, tls: ssl.SSLContext) -> None:
    """One connection: each request is answered with its path."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import RequestReceived

    plain, _ = listener.accept()
    with tls.wrap_socket(plain, server_side=True) as sock:
        sock.settimeout(10)
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        sock.sendall(connection.data_to_send())
        while data := sock.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    path = dict(event.headers)[b":path"]
                    head = [(":status", "200"), ("content-type", "application/json")]
                    connection.send_headers(event.stream_id, head)
                    connection.send_data(event.stream_id, b'"%s"' % path, end_stream=True)
            sock.sendall(connection.data_to_send())


async def test_http2(http2_site: str, client_tls: ssl.SSLContext) -> None:
    async with httpx.AsyncClient(http2=True, verify=client_tls) as http:
        client = SampleAPI(base_url=http2_site, http_client=http)
        for _ in range(2):
            assert await client.call(operation(), {}, {}) == "/documents"


def test_http2_without_a_loop(http2_site: str, client_tls: ssl.SSLContext) -> None:
    with httpx.Client(http2=True, verify=client_tls) as http:
        assert SyncSampleAPI(base_url=http2_site, http_client=http).call(operation(), {}, {}) == "/documents"
