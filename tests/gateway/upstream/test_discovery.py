"""Which settings name endpoints, and which are refused."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.upstream.discovery import Endpoint, InvalidEndpoint, parse_endpoints


@pytest.mark.parametrize(
    ("urls", "endpoints", "authorities"),
    [
        ("http://127.0.0.1:8101", [Endpoint(host="127.0.0.1", port=8101)], ["127.0.0.1:8101"]),
        ("http://corpus", [Endpoint(host="corpus", port=80)], ["corpus"]),
        ("http://corpus:443/", [Endpoint(host="corpus", port=443)], ["corpus:443"]),
        ("https://Corpus.Example", [Endpoint(host="corpus.example", port=443, tls=True)], ["corpus.example"]),
        ("https://corpus:80", [Endpoint(host="corpus", port=80, tls=True)], ["corpus:80"]),
        ("http://[::1]:8101", [Endpoint(host="::1", port=8101)], ["[::1]:8101"]),
        (
            "http://a:1, http://b:2 ,http://a:2",
            [Endpoint(host="a", port=1), Endpoint(host="b", port=2), Endpoint(host="a", port=2)],
            ["a:1", "b:2", "a:2"],
        ),
        (
            "http://a:1;weight=3;zone=eu-1, http://b:2 ; tag=canary; tag=version=2.1; weight=0.5",
            [
                Endpoint(host="a", port=1, weight=3, zone="eu-1"),
                Endpoint(host="b", port=2, weight=0.5, tags=("canary", "version=2.1")),
            ],
            ["a:1", "b:2"],
        ),
    ],
)
def test_urls_become_endpoints(urls: str, endpoints: list[Endpoint], authorities: list[str]) -> None:
    parsed = parse_endpoints(urls)
    assert list(parsed) == endpoints
    assert [endpoint.authority for endpoint in parsed] == authorities


@pytest.mark.parametrize(
    ("urls", "why"),
    [
        ("", "empty"),
        ("http://a:1,", "empty"),
        ("127.0.0.1:8101", "must start with http"),
        ("ftp://a", "must start with http"),
        ("http://", "no valid host"),
        ("http://:8101", "no valid host"),
        ("http://a b", "no valid host"),
        ("http://a\r\nx:1", "not a URL"),
        ("http://a_%zz", "no valid host"),
        ("http://" + "a" * 64, "no valid host"),
        ("http://a..b", "no valid host"),
        ("http://[::1", "not a URL"),
        ("http://a:99999", "not a URL"),
        ("http://a:b", "not a URL"),
        ("http://a:0", "port 0"),
        ("http://a/api", "scheme, host and port only"),
        ("http://a?x=1", "scheme, host and port only"),
        ("http://a#x", "scheme, host and port only"),
        ("http://a:1,http://b:1,http://a:1", "a:1 is listed twice"),
        ("http://a,http://a:80", "a is listed twice"),
        ("http://a;weight=2,http://a;weight=3", "a is listed twice"),
        ("http://a;weight=0", "above 0 and up to 65535"),
        ("http://a;weight=65536", "above 0 and up to 65535"),
        ("http://a;weight=-1", "above 0 and up to 65535"),
        ("http://a;weight=nan", "above 0 and up to 65535"),
        ("http://a;weight=1e3", "above 0 and up to 65535"),
        ("http://a;weight", "above 0 and up to 65535"),
        ("http://a;weight=1;weight=1", "weight of a is said twice"),
        ("http://a;zone=", "zone must be a word"),
        ("http://a;tag=a b", "tag must be a word"),
        ("http://a;wieght=1", "none of weight=3, zone=eu-1 and tag=canary"),
        ("http://a;", "none of weight=3"),
    ],
)
def test_what_is_no_endpoint_is_refused(urls: str, why: str) -> None:
    with pytest.raises(InvalidEndpoint, match=why):
        parse_endpoints(urls)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidEndpoint, match="password") as caught:
        parse_endpoints("http://user:hunter2@a:1")
    assert "hunter2" not in str(caught.value)
