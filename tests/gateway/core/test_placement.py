"""Which endpoint a request goes to, as its headers, its cookie, its client and chance have it."""

from __future__ import annotations

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.placement import build_placement
from dhatu_gateway.core.upstream.policy import Balance, Hash, Subset
from dhatu_gateway.core.upstream.types import UpstreamRequest


def placed(balance: Balance, chance: float = 0.0, **fields: str) -> tuple[bytes, str]:
    """The key and the subset of a request with these header fields."""
    exchange = Exchange()
    exchange.fields = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    exchange.client_network = "192.0.2.7"
    request = UpstreamRequest(b"GET", b"/", [], b"", 0.0)
    place = build_placement(balance, lambda: chance)
    assert place is not None
    place(exchange, request)
    return request.affinity, request.subset


def test_a_service_that_asks_for_nothing_pays_nothing() -> None:
    assert build_placement(Balance(), lambda: 0.0) is None


def test_a_key_is_a_header_a_cookie_or_the_network() -> None:
    by_header = Balance(algorithm="hash", hash=Hash(by="header", name="X-User"))
    assert placed(by_header, x_user="ada") == (b"ada", "")
    assert placed(by_header) == (b"192.0.2.7", "")
    by_cookie = Balance(algorithm="hash", hash=Hash(by="cookie", name="sid"))
    assert placed(by_cookie, cookie="xsid=1; sid=4f1c=; theme=dark") == (b"4f1c=", "")
    assert placed(by_cookie, cookie="xsid=1") == (b"192.0.2.7", "")
    assert placed(Balance(algorithm="hash", hash=Hash(by="network"))) == (b"192.0.2.7", "")


def test_the_first_subset_that_fits_counts() -> None:
    subsets = (
        Subset(tag="beta", header="X-Channel", value="beta"),
        Subset(tag="canary", header="X-Canary"),
        Subset(tag="canary", share=0.05),
    )
    balance = Balance(algorithm="hash", hash=Hash(by="network"), subsets=subsets)
    assert placed(balance, 0.9, x_channel="beta", x_canary="1") == (b"192.0.2.7", "beta")
    assert placed(balance, 0.9, x_channel="stable", x_canary="1")[1] == "canary"
    assert placed(balance, 0.049)[1] == "canary"
    assert placed(balance, 0.05)[1] == ""
    assert placed(Balance(subsets=subsets), 0.9, x_canary="") == (b"", "canary")
