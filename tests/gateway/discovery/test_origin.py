"""What a *_SERVICE_URL may say."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.discovery.origin import (
    ConsulOrigin,
    DnsOrigin,
    KubernetesOrigin,
    Origin,
    SrvOrigin,
    parse_origin,
)
from dhatu_gateway.core.upstream.discovery import Endpoint, InvalidEndpoint


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://a:1;weight=2", (Endpoint(host="a", port=1, weight=2),)),
        ("dns+http://corpus.svc:8102", DnsOrigin(name="corpus.svc", port=8102, tls=False)),
        ("dns+https://corpus.example/", DnsOrigin(name="corpus.example", port=443, tls=True)),
        ("dns+http://c;family=4", DnsOrigin(name="c", port=80, tls=False, families=(4,))),
        ("srv+http://_corpus._tcp.example", SrvOrigin(name="_corpus._tcp.example", tls=False)),
        (
            "srv+https://_c._tcp.example.;family=6",
            SrvOrigin(name="_c._tcp.example.", tls=True, families=(6,)),
        ),
        ("consul+http://corpus", ConsulOrigin(service="corpus", tls=False)),
        (
            "consul+https://corpus; tag=v2; dc=eu",
            ConsulOrigin(service="corpus", tls=True, tag="v2", datacenter="eu"),
        ),
        (
            "k8s+http://prod/corpus:http",
            KubernetesOrigin(namespace="prod", service="corpus", port="http", tls=False),
        ),
        ("k8s+https://prod/corpus", KubernetesOrigin(namespace="prod", service="corpus", port="", tls=True)),
    ],
)
def test_what_is_said_is_understood(text: str, origin: Origin) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp+http://a", "must start with http"),
        ("dns+http://", "no valid name"),
        ("dns+http://a b", "no valid name"),
        ("dns+http://a..b", "no valid name"),
        ("dns+http://a:0", "port from 1 to 65535"),
        ("dns+http://a:x", "port from 1 to 65535"),
        ("dns+http://a/api", "no valid name"),
        ("dns+http://a;family=5", "must be 4 or 6"),
        ("dns+http://a;weight=5", "is no option here; possible: family"),
        ("dns+http://a,dns+http://b", "must stand alone"),
        ("srv+http://_a._tcp.x:80", "no valid name"),
        ("consul+http://user:pw@corpus", "no valid name"),
        ("consul+http://corpus;tag=", "must be a word"),
        ("consul+http://corpus;tag=a;tag=b", "is no option here"),
        ("k8s+http://corpus", "namespace/service"),
        ("k8s+http://a/b/c", "namespace/service"),
        ("k8s+http://a/b;x=1", "possible: none"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidEndpoint, match=why):
        parse_origin(text)
