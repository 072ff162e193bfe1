"""Providers are asked in a way that nobody can turn against the networks of the gateway."""

from __future__ import annotations

import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from dhatu_gateway.auth.errors import ProviderError
from dhatu_gateway.auth.providers.addresses import Address, allowed_addresses, is_allowed
from dhatu_gateway.auth.providers.client import client_authentication
from dhatu_gateway.auth.providers.fetch import (
    ADDRESSES_S,
    Answer,
    Fetcher,
    FetchLimits,
)
from gateway.auth.providers.misbehaving import (
    Misbehaving,
    drip,
    flood,
    json_response,
    misbehaving,
    response,
)
from gateway.auth.support import Clock

NEVER = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "fe80::1", "0.0.0.0", "::"]
NEVER += ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::169.254.169.254", "2002:a9fe:a9fe::1"]
NEVER += ["224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.0.192", "64:ff9b:1::1", "192.0.2.1"]
PRIVATE = ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"]
PRIVATE += ["::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
PUBLIC = ["93.184.215.14", "2606:4700:4700::1111", "172.32.0.1", "::ffff:93.184.215.14"]


class Names:
    """Looks names up in what the test says; each entry is one look-up's answer, the last one stays."""

    def __init__(self, *answers: str) -> None:
        self.answers = [tuple(map(ipaddress.ip_address, answer.split())) for answer in answers]
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def provider() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(allow_private=True, limits=FetchLimits(total_s=5.0, max_bytes=100_000))
    yield made
    await made.close()


@pytest.mark.parametrize("address", NEVER)
def test_nobody_is_asked_where_machines_keep_their_secrets(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), private=False)
    assert not is_allowed(ipaddress.ip_address(address), private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_need_the_word_of_the_operator(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), private=False)
    assert is_allowed(ipaddress.ip_address(address), private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_where_providers_are(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), private=False)


def test_of_a_name_with_many_addresses_those_that_are_allowed_count() -> None:
    found = tuple(map(ipaddress.ip_address, ("10.0.0.1", "93.184.215.14")))
    assert allowed_addresses("a", found, private=False) == found[1:]
    with pytest.raises(ProviderError, match=r"a leads to 10\.0\.0\.1, where no provider may be"):
        allowed_addresses("a", found[:1], private=False)


async def test_an_object_is_read(provider: Misbehaving, fetcher: Fetcher) -> None:
    provider.answers["/a?b=c"] = json_response({"ā": 1})
    assert await fetcher.get_object(f"{provider.origin}/a?b=c") == {"ā": 1}
    assert f"Host: 127.0.0.1:{provider.port}\r\n" in provider.heads[0]
    assert "user-agent" not in provider.heads[0].lower()


async def test_a_form_is_sent_and_errors_are_read_too(provider: Misbehaving, fetcher: Fetcher) -> None:
    provider.answers["/token"] = json_response({"error": "invalid_grant"}, 400)
    authorization = client_authentication("a:b", "ü %")
    answer = await fetcher.post_form(
        f"{provider.origin}/token", {"code": "a&b"}, headers={"Authorization": authorization}
    )
    assert answer == Answer(status=400, document={"error": "invalid_grant"})
    assert provider.bodies == [b"code=a%26b"]
    assert "Authorization: Basic YSUzQWI6JUMzJUJDKyUyNQ==\r\n" in provider.heads[0]
    assert "Content-Type: application/x-www-form-urlencoded\r\n" in provider.heads[0]


async def test_nobody_is_asked_on_a_private_network_unasked(provider: Misbehaving) -> None:
    fetcher = Fetcher()
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(ProviderError, match="where no provider may be"):
            await fetcher.get_object(f"http://{host}:{provider.port}/")
    with pytest.raises(ProviderError, match="no address that a provider may have"):
        await fetcher.get_object("http://169.254.169.254/latest/meta-data")
    assert provider.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example", "http://a.example", "https://a@b"])
async def test_other_addresses_are_not_asked(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(ProviderError, match="no address that a provider may have"):
        await fetcher.get_object(url)


async def test_a_redirect_is_not_followed(provider: Misbehaving, fetcher: Fetcher) -> None:
    for status, to in ((302, "http://169.254.169.254/"), (307, f"{provider.origin}/other"), (301, "/other")):
        provider.answers["/"] = response(status, b"{}", "application/json", f"Location: {to}")
        with pytest.raises(ProviderError, match=f"{status}: redirects are not followed"):
            await fetcher.get_object(f"{provider.origin}/")
    assert provider.requests == ["GET /"] * 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (json_response({}, 500), "answered 500"),
        (json_response({}, 404), "answered 404"),
        (response(200, b"<html>", "text/html"), "with 'text/html' and not JSON"),
        (response(200, b"{"), "no JSON object: it is not JSON"),
        (response(200, b"[]"), "no JSON object"),
        (response(200, b'{"a": 1, "a": 2}'), "a member is written twice"),
        (response(200, b'{"a": NaN}'), "NaN is no JSON"),
        (response(200, b"\xff\xfe{\0}\0"), "it is not JSON"),
        (response(200, b'{"a":' * 9_999 + b"1" + b"}" * 9_999), "too deep"),
        (response(200, b" " * 100_001), "more than 100000 bytes"),
        (response(200, gzip.compress(b"{}"), "application/json", "Content-Encoding: gzip"), "an encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n", "cannot be asked"),
        (b"hello\r\n\r\n", "cannot be asked"),
    ],
)
async def test_whatever_is_no_object_is_an_error(
    provider: Misbehaving, fetcher: Fetcher, answer: bytes, message: str
) -> None:
    provider.answers["/"] = answer
    with pytest.raises(ProviderError, match=message):
        await fetcher.get_object(f"{provider.origin}/")
    provider.answers["/"] = json_response({"well": "again"})
    assert await fetcher.get_object(f"{provider.origin}/") == {"well": "again"}


async def test_an_answer_without_end_is_cut_off(provider: Misbehaving, fetcher: Fetcher) -> None:
    provider.answers["/"] = flood
    with pytest.raises(ProviderError, match="more than 100000 bytes"):
        await fetcher.get_object(f"{provider.origin}/")


async def test_an_answer_that_drips_is_cut_off(provider: Misbehaving) -> None:
    fetcher = Fetcher(allow_private=True, limits=FetchLimits(total_s=0.2))
    provider.answers["/"] = drip
    with pytest.raises(ProviderError, match=r"took longer than 0\.2 s"):
        await fetcher.get_object(f"{provider.origin}/")
    await fetcher.close()


async def test_a_port_where_nobody_listens(provider: Misbehaving, fetcher: Fetcher) -> None:
    async with misbehaving() as other:
        gone = other.origin
    with pytest.raises(ProviderError, match="cannot be asked"):
        await fetcher.get_object(f"{gone}/")


async def test_no_proxy_of_the_environment_and_no_cookie(
    provider: Misbehaving, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    provider.answers["/"] = response(200, b"{}", "application/json", "Set-Cookie: a=b; Path=/")
    for _ in range(2):
        await fetcher.get_object(f"{provider.origin}/")
    assert "cookie" not in provider.heads[1].lower()


@dataclass
class Secure:
    """A server under https, asked by names that only the test knows: others who look them up find nothing."""

    server: Misbehaving
    authority: Path
    clock: Clock

    def fetcher(self, names: Names, *, private: bool = True) -> Fetcher:
        return Fetcher(allow_private=private, ca_file=self.authority, resolve=names, clock=self.clock)


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Secure]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("login.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    async with misbehaving(context) as running:
        running.answers["/"] = json_response({"a": 1})
        yield Secure(running, tmp_path / "authority.pem", Clock())


async def test_the_connection_goes_to_the_address_that_was_checked(secure: Secure) -> None:
    names = Names("127.0.0.1", "169.254.169.254")
    fetcher = secure.fetcher(names)
    url = f"https://login.example.com:{secure.server.port}/"
    for _ in range(2):
        assert await fetcher.get_object(url) == {"a": 1}
    assert names.asked == ["login.example.com"]  # there is no look-up after the one that was checked
    assert f"Host: login.example.com:{secure.server.port}\r\n" in secure.server.heads[0]
    secure.clock.now_s += ADDRESSES_S
    with pytest.raises(ProviderError, match=r"leads to 169\.254\.169\.254, where no provider may be"):
        await fetcher.get_object(url)
    await fetcher.close()


async def test_a_host_that_moves_is_found_at_once(secure: Secure) -> None:
    names = Names("127.255.255.254", "127.0.0.1")
    fetcher = secure.fetcher(names)
    url = f"https://login.example.com:{secure.server.port}/"
    with pytest.raises(ProviderError, match="cannot be asked"):
        await fetcher.get_object(url)
    assert await fetcher.get_object(url) == {"a": 1}
    await fetcher.close()


async def test_a_public_name_that_leads_home(secure: Secure) -> None:
    fetcher = secure.fetcher(Names("127.0.0.1 ::1"), private=False)
    with pytest.raises(ProviderError, match=r"leads to 127\.0\.0\.1, ::1, where no provider may be"):
        await fetcher.get_object(f"https://login.example.com:{secure.server.port}/")
    assert secure.server.requests == []


async def test_the_certificate_must_be_of_the_name(secure: Secure) -> None:
    fetcher = secure.fetcher(Names("127.0.0.1"))
    with pytest.raises(ProviderError, match="cannot be asked"):
        await fetcher.get_object(f"https://other.example.com:{secure.server.port}/")
    assert secure.server.requests == []


async def test_a_connection_for_one_name_carries_nothing_for_another(secure: Secure) -> None:
    fetcher = secure.fetcher(Names("127.0.0.1"))
    await fetcher.get_object(f"https://login.example.com:{secure.server.port}/")
    with pytest.raises(ProviderError, match="cannot be asked"):
        await fetcher.get_object(f"https://other.example.com:{secure.server.port}/")
    assert len(secure.server.requests) == 1
    await fetcher.close()


async def test_an_authority_that_nobody_named_is_not_trusted(secure: Secure) -> None:
    fetcher = Fetcher(allow_private=True, resolve=Names("127.0.0.1"))
    with pytest.raises(ProviderError, match="cannot be asked"):
        await fetcher.get_object(f"https://login.example.com:{secure.server.port}/")
    assert secure.server.requests == []


async def test_the_next_address_is_tried(secure: Secure) -> None:
    fetcher = secure.fetcher(Names("127.255.255.254 127.0.0.1"))
    assert await fetcher.get_object(f"https://login.example.com:{secure.server.port}/") == {"a": 1}
    await fetcher.close()
