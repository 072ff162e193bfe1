"""Where a request comes from: the right-most address that is no trusted proxy, whatever is claimed."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.clients import (
    MAX_HOPS,
    MAX_REMEMBERED,
    ClientNetworks,
    Clients,
    ForwardingHeader,
    parse_address,
    parse_networks,
)

PROXIES = parse_networks("10.0.0.0/8, 2001:db8:ffff::/48, 127.0.0.1")
TRUSTING = ClientNetworks(trusted_proxies=PROXIES)
BY_RFC = ClientNetworks(trusted_proxies=PROXIES, header="Forwarded")


def of(networks: ClientNetworks, peer: str, value: str | None, **more: str) -> str:
    name = networks.header.lower().encode()
    fields = {name: value.encode("latin-1")} if value is not None else {}
    fields |= {key.replace("_", "-").encode(): text.encode() for key, text in more.items()}
    return Clients(networks).find(peer, fields).address


@pytest.mark.parametrize(
    ("peer", "value", "client"),
    [
        ("198.51.100.1", "9.9.9.9", "198.51.100.1"),  # nobody asked it
        ("::ffff:198.51.100.1", "9.9.9.9", "198.51.100.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "9.9.9.9, 203.0.113.9", "203.0.113.9"),  # the left one is what the client claims
        ("10.0.0.1", "9.9.9.9, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.9, 203.0.113.9, 10.0.0.2, 127.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),  # trusted all the way
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8:0:0::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "  203.0.113.9\t", "203.0.113.9"),
        ("2001:db8:ffff::1", "203.0.113.9", "203.0.113.9"),
        # what is no address ends the walk at the last hop that is known
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "fe80::1%eth0", "10.0.0.1"),
        ("10.0.0.1", "010.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9\r\nX: y", "10.0.0.1"),
        ("10.0.0.1", "\xb2.1.1.1", "10.0.0.1"),
        ("10.0.0.1", "for=9.9.9.9", "10.0.0.1"),
        ("", "9.9.9.9", ""),
        ("not an address", "9.9.9.9", "not an address"),
    ],
)
def test_x_forwarded_for_is_read_from_its_end(peer: str, value: str | None, client: str) -> None:
    assert of(TRUSTING, peer, value) == client


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=203.0.113.9;Proto=https;by=10.0.0.1", "203.0.113.9"),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=[2001:db8:cafe::17]", "2001:db8:cafe::17"),
        ('for="203.0.113.9:80" ; host="a,b;for=9.9.9.9"', "203.0.113.9"),
        ("for=9.9.9.9, for=203.0.113.9, for=10.0.0.2", "203.0.113.9"),
        ("for=9.9.9.9,,for=203.0.113.9,", "203.0.113.9"),
        # an open quote of the client's does not swallow what the proxy has added
        ('for=", for=203.0.113.9', "203.0.113.9"),
        ('for="9.9.9.9, for=203.0.113.9', "203.0.113.9"),
        ('secret="\\", for=203.0.113.9', "203.0.113.9"),
        ('for=203.0.113.9;host="x, for=9.9.9.9"', "203.0.113.9"),
        ("for=unknown", "10.0.0.1"),
        ("for=_hidden", "10.0.0.1"),
        ("for=203.0.113.9, for=unknown", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("203.0.113.9", "10.0.0.1"),
        ("for = 203.0.113.9", "10.0.0.1"),
        ('for="', "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_forwarded_is_read_from_its_end(value: str, client: str) -> None:
    assert of(BY_RFC, "10.0.0.1", value) == client


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_the_header_that_the_proxies_do_not_write_is_not_read(header: ForwardingHeader) -> None:
    networks = ClientNetworks(trusted_proxies=PROXIES, header=header)
    fields = {b"x-forwarded-for": b"192.0.2.1", b"forwarded": b"for=192.0.2.2"}
    found = Clients(networks).find("10.0.0.1", fields)
    assert found.address == {"X-Forwarded-For": "192.0.2.1", "Forwarded": "192.0.2.2"}[header]


def test_nobody_is_trusted_by_default() -> None:
    assert of(ClientNetworks(), "127.0.0.1", "9.9.9.9") == "127.0.0.1"


def test_a_long_chain_is_not_followed_to_its_end() -> None:
    chain = ", ".join(["9.9.9.9"] + ["10.0.0.2"] * MAX_HOPS)
    assert of(TRUSTING, "10.0.0.1", chain) == "10.0.0.2"
    assert of(BY_RFC, "10.0.0.1", "for=" + chain.replace(", ", ", for=")) == "10.0.0.2"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
    ],
)
def test_limits_count_ipv6_by_its_64(address: str, network: str) -> None:
    assert Clients(ClientNetworks()).find(address, {}).network == network


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ({b"x-forwarded-for": b"192.0.2.1", b"x-forwarded-proto": b"https"}, "https"),
        ({b"x-forwarded-for": b"192.0.2.1", b"x-forwarded-proto": b"gopher"}, ""),
        ({b"x-forwarded-for": b"192.0.2.1", b"x-forwarded-proto": b"https, HTTP"}, "http"),
        ({b"x-forwarded-for": b"192.0.2.1"}, ""),
        ({b"x-forwarded-proto": b"https"}, ""),
        ({b"forwarded": b"for=192.0.2.1;proto=https"}, "https"),
        ({b"forwarded": b"proto=https;for=192.0.2.1, for=10.0.0.2;proto=http"}, "https"),
        ({b"forwarded": b"proto=https;for=9.9.9.9, for=192.0.2.1;proto=http"}, "http"),
    ],
)
def test_the_scheme_is_what_the_proxy_at_the_edge_has_seen(fields: dict[bytes, bytes], scheme: str) -> None:
    networks = BY_RFC if b"forwarded" in fields else TRUSTING
    assert Clients(networks).find("10.0.0.1", fields).scheme == scheme
    assert Clients(networks).find("198.51.100.1", fields).scheme == ""


@pytest.mark.parametrize(
    ("address", "allowed", "denied", "may"),
    [
        ("192.0.2.1", "", "", True),
        ("192.0.2.1", "192.0.2.0/24", "", True),
        ("192.0.3.1", "192.0.2.0/24", "", False),
        ("::ffff:192.0.2.1", "192.0.2.0/24", "", True),
        ("192.0.2.1", "", "192.0.2.1", False),
        ("::ffff:192.0.2.1", "", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.0/24", "192.0.2.0/28", False),
        ("2001:db8::1", "192.0.2.0/24", "", False),
        ("2001:db8::1", "192.0.2.0/24, 2001:db8::/32", "", True),
        ("no address", "0.0.0.0/0", "", False),
        ("no address", "", "0.0.0.0/0", True),
    ],
)
def test_who_is_denied_may_not_call_and_who_is_not_allowed_neither(
    address: str, allowed: str, denied: str, may: bool
) -> None:
    networks = ClientNetworks(allowed=parse_networks(allowed), denied=parse_networks(denied))
    assert Clients(networks).find(address, {}).allowed is may


def test_the_lists_are_about_the_client_and_not_about_the_proxy() -> None:
    networks = ClientNetworks(trusted_proxies=PROXIES, denied=parse_networks("203.0.113.0/24"))
    clients = Clients(networks)
    assert not clients.find("10.0.0.1", {b"x-forwarded-for": b"203.0.113.9"}).allowed
    assert clients.find("10.0.0.1", {b"x-forwarded-for": b"203.0.113.9, 192.0.2.1"}).allowed


def test_what_is_remembered_has_an_end() -> None:
    clients = Clients(TRUSTING)
    for number in range(2 * MAX_REMEMBERED + 10):
        address = f"2001:db8::{number:x}"
        assert clients.find(address, {}).address == (address if number else "2001:db8::")
        fields = {b"x-forwarded-for": address.encode()}
        assert clients.find("10.0.0.1", fields) == clients.find(address, {})
    for kept in (clients._peers, clients._behind):  # pyright: ignore[reportPrivateUsage]  # nothing shows it
        assert len(kept) <= MAX_REMEMBERED
    # the cache says the same as the first look
    assert clients.find("10.0.0.1", {b"x-forwarded-for": b"192.0.2.1"}).address == "192.0.2.1"


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "::ffff:10.0.0.0/104", "10.0.0.0-9"]
)
def test_a_wrong_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 10\.0\.0\.0/8"):
        parse_networks(f"192.0.2.0/24, {text}")


@pytest.mark.parametrize(
    "text", ["", "1", "1.2.3", "1.2.3.4.5", "[::1", "::1]:80", "a.example", "1.2.3.4:123456"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None
