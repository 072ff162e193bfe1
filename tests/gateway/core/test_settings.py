"""The environment is read as a whole, and everything that is wrong with it is named at once."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from dhatu_gateway.auth.store.opening import RedisLocation
from dhatu_gateway.core.clients import ClientNetworks, parse_networks
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import Service
from dhatu_gateway.core.upstream.tls import TlsSettings
from dhatu_gateway.settings import DEMO_SECRET, Settings, SettingsError, read_settings
from gateway.tls.authorities import Files

SERVICES = (
    Service(name="corpus", url_variable="CORPUS_SERVICE_URL", default_url="http://127.0.0.1:8102"),
    Service(name="system", url_variable="", default_url=""),
)
SECRET = {"JWT_SECRET_KEY": "x" * 32}


def read(**environment: str) -> Settings:
    return read_settings(SECRET | environment, SERVICES)


def test_defaults_are_for_one_machine() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert (settings.redis_url, settings.metrics, settings.jwt_lifetime_s) == (None, True, 3600)
    assert [endpoint.authority for endpoint in settings.endpoints["corpus"]] == ["127.0.0.1:8102"]
    assert settings.endpoints.keys() == {"corpus"}
    assert (settings.clients, settings.connections) == (ClientNetworks(), ServerLimits())


def test_what_is_set_is_told_without_its_secrets() -> None:
    settings = read(REDIS_URL="redis://:hunter2@cache", REDIS_PASSWORD="hunter2", GATEWAY_WORKERS="2")
    assert set(settings.said) == {
        "GATEWAY_WORKERS=2",
        "JWT_SECRET_KEY=***",
        "REDIS_PASSWORD=***",
        "REDIS_URL=***",
    }


def test_a_variable_that_nothing_reads_is_told_with_what_may_be_meant() -> None:
    settings = read(
        GATEWAY_WORKER="4", GATEWAY_SERVICE_HOST="10.0.0.1", GATEWAY_PORT_80_TCP="tcp://10.0.0.1", PATH="/"
    )
    assert settings.unread == ("GATEWAY_WORKER is set, and nothing reads it; is GATEWAY_WORKERS meant?",)
    assert read(GATEWAY_TABLE="t.jsonl", GATEWAY_API_KEY="k").unread == ()
    assert read(GATEWAY_ODDITIES="1").unread == ("GATEWAY_ODDITIES is set, and nothing reads it",)


def test_a_service_that_is_nowhere_by_default_has_to_be_somewhere() -> None:
    glossary = Service(name="glossary", url_variable="GLOSSARY_SERVICE_URL", default_url="")
    with pytest.raises(SettingsError, match="GLOSSARY_SERVICE_URL: must say where the service glossary is"):
        read_settings(SECRET, (*SERVICES, glossary))
    mocked = read_settings(SECRET | {"GATEWAY_MOCK": "glossary"}, (*SERVICES, glossary))
    assert mocked.endpoints.keys() == {"corpus"}
    found = read_settings(SECRET | {"GLOSSARY_SERVICE_URL": "http://g:1"}, (*SERVICES, glossary))
    assert [endpoint.authority for endpoint in found.endpoints["glossary"]] == ["g:1"]


def test_the_workers_share_a_limit_out_among_them() -> None:
    assert (read().limit_local_share, read(GATEWAY_WORKERS="4").limit_local_share) == (1.0, 0.25)


def test_everything_can_be_set() -> None:
    settings = read(
        GATEWAY_HOST="0.0.0.0",
        GATEWAY_PORT="0",
        GATEWAY_WORKERS="4",
        GATEWAY_DATABASE="/var/lib/keys.sqlite3",
        REDIS_URL="rediss://cache:6380/1",
        REDIS_PASSWORD="hunter2",
        CORPUS_SERVICE_URL="http://a:1,https://b",
        JWT_EXPIRE_MINUTES="5",
        PROMETHEUS_ENABLED="off",
        GATEWAY_TRUSTED_PROXIES="10.0.0.0/8, ::1",
        GATEWAY_FORWARDING_HEADER="forwarded",
        GATEWAY_ALLOWED_NETWORKS="192.0.2.0/24",
        GATEWAY_DENIED_NETWORKS="192.0.2.7",
        RATE_LIMIT_LOCAL_SHARE="0.125",
        GATEWAY_MAX_TARGET_BYTES="4096",
        GATEWAY_MAX_HEADER_BYTES="16384",
        GATEWAY_MAX_HEADERS="50",
        GATEWAY_HEADER_TIMEOUT_S="5",
        GATEWAY_BODY_GRACE_S="6",
        GATEWAY_MIN_BODY_BYTES_PER_S="700",
        GATEWAY_KEEP_ALIVE_S="650",
        GATEWAY_WRITE_STALL_S="8",
        JAEGER_ENDPOINT="http://127.0.0.1:4318",
    )
    assert (settings.host, settings.port, settings.workers) == ("0.0.0.0", 0, 4)
    assert (settings.redis_url, settings.redis_password) == ("rediss://cache:6380/1", "hunter2")
    assert [endpoint.authority for endpoint in settings.endpoints["corpus"]] == ["a:1", "b"]
    assert (settings.jwt_lifetime_s, settings.metrics) == (300, False)
    assert settings.limit_local_share == 0.125
    assert str(settings.database) == "/var/lib/keys.sqlite3"
    assert settings.without_effect == ("JAEGER_ENDPOINT",)
    assert settings.connections == ServerLimits(
        max_target_bytes=4_096,
        max_header_bytes=16_384,
        max_headers=50,
        header_timeout_s=5,
        body_grace_s=6,
        min_body_bytes_per_s=700,
        keep_alive_s=650,
        write_stall_s=8,
    )
    assert settings.clients == ClientNetworks(
        trusted_proxies=parse_networks("10.0.0.0/8, ::1"),
        header="Forwarded",
        allowed=parse_networks("192.0.2.0/24"),
        denied=parse_networks("192.0.2.7"),
    )


def test_keys_come_from_one_variable_or_from_a_file(tmp_path: Path) -> None:
    assert [key.algorithm for key in read().jwt_keys] == ["HS256"]
    (tmp_path / "old.txt").write_text("o" * 32)
    (tmp_path / "new.txt").write_text("n" * 32)
    old = {"file": "old.txt", "algorithm": "HS256", "state": "retired", "retired_at": "2027-01-01T00:00:00Z"}
    new = {"file": "new.txt", "algorithm": "HS256", "state": "current"}
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [new, old]}))
    settings = read_settings({"JWT_KEYS_FILE": str(path)}, SERVICES)
    assert [key.state for key in settings.jwt_keys] == ["current", "retired"]
    assert pickle.loads(pickle.dumps(settings)) == settings, "it is handed to worker processes"
    with pytest.raises(SettingsError, match="JWT_SECRET_KEY: must not be set together with JWT_KEYS_FILE"):
        read(JWT_KEYS_FILE=str(path))
    with pytest.raises(SettingsError, match=r"JWT_KEYS_FILE: cannot read .*missing\.json"):
        read_settings({"JWT_KEYS_FILE": str(tmp_path / "missing.json")}, SERVICES)


def test_certificates_are_read_before_anything_starts(tmp_path: Path) -> None:
    files = Files(tmp_path)
    known = tmp_path / "known.json"
    settings = read(
        GATEWAY_TLS_CERTIFICATE_FILE=str(files.certificate),
        GATEWAY_CLIENT_CA_FILE=str(files.client_ca),
        GATEWAY_CLIENT_CERTIFICATES="required",
        CLIENT_CERTIFICATES_FILE=str(known),
        CORPUS_SERVICE_URL="https://10.0.0.7",
        CORPUS_SERVICE_CA_FILE=str(files.client_ca),
        CORPUS_SERVICE_CERTIFICATE_FILE=str(files.certificate),
        CORPUS_SERVICE_KEY_FILE=str(files.certificate),
        CORPUS_SERVICE_SERVER_NAME="corpus.internal",
    )
    assert settings.tls == files.tls("required")
    assert settings.client_certificates_file == known
    assert settings.service_tls["corpus"] == TlsSettings(
        ca_file=files.client_ca,
        certificate_file=files.certificate,
        key_file=files.certificate,
        server_name="corpus.internal",
    )
    assert pickle.loads(pickle.dumps(settings)) == settings, "it is handed to worker processes"
    assert (read().tls, read().client_certificates_file, read().service_tls) == (None, None, {})


def test_certificates_that_cannot_be_used_are_refused_by_name(tmp_path: Path) -> None:
    files = Files(tmp_path)
    broken = files.write("broken.pem", b"nothing")
    own = {"GATEWAY_TLS_CERTIFICATE_FILE": str(files.certificate)}
    clients = {**own, "GATEWAY_CLIENT_CA_FILE": str(files.client_ca)}
    optional = {**clients, "GATEWAY_CLIENT_CERTIFICATES": "optional"}
    corpus = {"CORPUS_SERVICE_URL": "https://corpus"}
    for environment, why in (
        ({"GATEWAY_TLS_CERTIFICATE_FILE": str(broken)}, "broken.pem is not a usable certificate"),
        ({"GATEWAY_TLS_CERTIFICATE_FILE": str(files.client_ca)}, "clients.pem is not a usable certificate"),
        ({"GATEWAY_TLS_KEY_FILE": str(files.certificate)}, "GATEWAY_TLS_KEY_FILE: has no meaning without"),
        ({**own, "GATEWAY_TLS_KEY_FILE": str(tmp_path / "no.pem")}, "no.pem is not a usable certificate"),
        (clients, "GATEWAY_CLIENT_CERTIFICATES: must be optional or required"),
        ({**optional, "GATEWAY_CLIENT_CERTIFICATES": "maybe"}, "must be one of none, optional, required"),
        ({**own, "GATEWAY_CLIENT_CERTIFICATES": "required"}, "no meaning without GATEWAY_CLIENT_CA_FILE"),
        ({**optional, "GATEWAY_CLIENT_CA_FILE": str(broken)}, "broken.pem is not a readable list of auth"),
        ({**optional, "GATEWAY_CLIENT_CRL_FILE": str(broken)}, "broken.pem is not a readable list of revo"),
        ({**own, "CLIENT_CERTIFICATES_FILE": "known.json"}, "CLIENT_CERTIFICATES_FILE: has no meaning"),
        ({**corpus, "CORPUS_SERVICE_CA_FILE": str(broken)}, "broken.pem is not a readable list of auth"),
        ({**corpus, "CORPUS_SERVICE_CERTIFICATE_FILE": str(broken)}, "broken.pem is not a usable cert"),
        ({**corpus, "CORPUS_SERVICE_KEY_FILE": str(broken)}, "no meaning without CORPUS_SERVICE_CERTIFICATE"),
        ({**corpus, "CORPUS_SERVICE_SERVER_NAME": "a:443"}, "must be a host name without port"),
        ({"CORPUS_SERVICE_SERVER_NAME": "a"}, "CORPUS_SERVICE_URL: must be https:// for 127.0.0.1:8102"),
    ):
        with pytest.raises(SettingsError) as caught:
            read(**environment)
        assert why in str(caught.value)


def test_credentials_are_kept_in_a_file_or_on_a_server() -> None:
    assert read().database == Path("dhatu.sqlite3")
    settings = read(GATEWAY_DATABASE="rediss://:hunter2@keys:6380", REDIS_PASSWORD="hunter3")
    assert settings.database == RedisLocation(url="rediss://:hunter2@keys:6380", password="hunter3")
    assert "hunter" not in repr(settings)
    with pytest.raises(SettingsError, match="GATEWAY_DATABASE: must be a URL such as redis:") as caught:
        read(GATEWAY_DATABASE="http://:hunter2@keys")
    assert "hunter" not in str(caught.value)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(GATEWAY_PORT="", REDIS_URL=" ", CORPUS_SERVICE_URL="") == read()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_HOST", "a b"),
        ("GATEWAY_HOST", "http://a"),
        ("GATEWAY_PORT", "70000"),
        ("GATEWAY_PORT", "-1"),
        ("GATEWAY_PORT", "eighty"),
        ("GATEWAY_PORT", "８０"),
        ("GATEWAY_WORKERS", "0"),
        ("RATE_LIMIT_LOCAL_SHARE", "0"),
        ("RATE_LIMIT_LOCAL_SHARE", "1.5"),
        ("RATE_LIMIT_LOCAL_SHARE", "nan"),
        ("RATE_LIMIT_LOCAL_SHARE", "half"),
        ("REDIS_URL", "http://cache"),
        ("REDIS_URL", "redis://cache:port"),
        ("CORPUS_SERVICE_URL", "corpus:80"),
        ("CORPUS_SERVICE_URL", "http://a,,http://b"),
        ("JWT_SECRET_KEY", "short"),
        ("JWT_ALGORITHM", "none"),
        ("JWT_ALGORITHM", "hs256"),
        ("JWT_EXPIRE_MINUTES", "0"),
        ("JWT_EXPIRE_MINUTES", "1.5"),
        ("PROMETHEUS_ENABLED", "maybe"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("GATEWAY_MAX_TARGET_BYTES", "0"),
        ("GATEWAY_MAX_HEADER_BYTES", "-1"),
        ("GATEWAY_MAX_HEADERS", "many"),
        ("GATEWAY_HEADER_TIMEOUT_S", "0"),
        ("GATEWAY_BODY_GRACE_S", "1e9"),
        ("GATEWAY_MIN_BODY_BYTES_PER_S", "0"),
        ("GATEWAY_KEEP_ALIVE_S", "1.5"),
        ("GATEWAY_WRITE_STALL_S", "inf"),
        ("GATEWAY_FORWARDING_HEADER", "X-Real-IP"),
        ("GATEWAY_ALLOWED_NETWORKS", "everybody"),
        ("GATEWAY_DENIED_NETWORKS", "::ffff:10.0.0.0/104"),
        ("JAEGER_ENDPOINT", "jaeger"),
        ("CONSUL_URL", "ftp://consul"),
        ("CORPUS_SERVICE_URL", "consul+http://a b"),
        ("DNS_NAMESERVERS", "dns.example"),
        ("DNS_NAMESERVERS", "10.0.0.2:0"),
        ("DNS_NAMESERVERS", "10.0.0.2,"),
        ("KUBERNETES_URL", "kubernetes"),
        ("GATEWAY_DEMO", "2"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{variable: value})
    assert f"\n  {variable}: " in str(caught.value)


def test_all_bad_values_come_at_once() -> None:
    with pytest.raises(SettingsError, match="3 variables are wrong") as caught:
        read(GATEWAY_PORT="x", GATEWAY_WORKERS="y", REDIS_URL="z")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "GATEWAY_PORT",
        "GATEWAY_WORKERS",
        "REDIS_URL",
    ]


def test_the_secret_that_everybody_knows_is_for_demonstrations() -> None:
    for environment in ({}, {"JWT_SECRET_KEY": DEMO_SECRET}):
        with pytest.raises(SettingsError, match="JWT_SECRET_KEY: must be set to a secret of your own"):
            read_settings(environment, SERVICES)
        assert read_settings(environment | {"GATEWAY_DEMO": "1"}, SERVICES).jwt_keys[0].text == DEMO_SECRET
    with pytest.raises(SettingsError, match="private key in PEM"):
        read_settings({"GATEWAY_DEMO": "1", "JWT_ALGORITHM": "EdDSA"}, SERVICES)


def test_secrets_stay_secret() -> None:
    secrets = {
        "JWT_SECRET_KEY": "hunter2" * 6,
        "REDIS_PASSWORD": "hunter3",
        "REDIS_URL": "redis://:hunter4@cache",
    }
    assert "hunter" not in repr(read_settings(secrets, SERVICES))
    with pytest.raises(SettingsError) as caught:
        read_settings({"JWT_SECRET_KEY": "hunter2", "REDIS_URL": "http://:hunter4@cache"}, SERVICES)
    assert "hunter" not in str(caught.value)


def test_who_is_asked_for_endpoints_has_to_be_named() -> None:
    with pytest.raises(SettingsError, match=r"CONSUL_URL: must be set, for consul\+http://corpus asks it"):
        read(CORPUS_SERVICE_URL="consul+http://corpus")
    with pytest.raises(SettingsError, match="KUBERNETES_URL: must be set outside of a cluster"):
        read(CORPUS_SERVICE_URL="k8s+http://prod/corpus")
    with pytest.raises(SettingsError, match="CONSUL_KEY_PREFIX: needs CONSUL_URL"):
        read(CONSUL_KEY_PREFIX="dhatu/gateway")


def test_consul_is_asked_as_the_settings_say(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret", encoding="ascii")
    consul = {"CONSUL_URL": "https://consul:8501/", "CORPUS_SERVICE_URL": "consul+http://corpus"}
    settings = read(**consul, CONSUL_TOKEN_FILE=str(token), CONSUL_KEY_PREFIX="/dhatu/gateway/")
    access = settings.discovery.consul
    assert access is not None
    assert (access.url, access.token_file) == ("https://consul:8501", token)
    assert settings.discovery.key_prefix == "dhatu/gateway"
    assert settings.endpoints == {"corpus": ()}
    assert "hunter2" not in repr(read(**consul, CONSUL_TOKEN="hunter2"))
    with pytest.raises(SettingsError, match="must not be set together"):
        read(**consul, CONSUL_TOKEN_FILE=str(token), CONSUL_TOKEN="x")


@pytest.mark.parametrize("variable", ["CONSUL_CA_FILE", "CONSUL_TOKEN_FILE", "CONSUL_CERTIFICATE_FILE"])
def test_files_of_consul_have_to_be_there_and_to_be_right(variable: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"{variable}: must name a file that exists"):
        read(CONSUL_URL="https://consul", **{variable: str(tmp_path / "none")})
    (tmp_path / "ca.pem").write_text("no certificate", encoding="ascii")
    if variable != "CONSUL_TOKEN_FILE":
        with pytest.raises(SettingsError, match="cannot be used"):
            read(CONSUL_URL="https://consul", **{variable: str(tmp_path / "ca.pem")})


def test_in_a_cluster_the_service_account_is_used() -> None:
    inside = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    access = read(CORPUS_SERVICE_URL="k8s+http://prod/corpus", **inside).discovery.kubernetes
    assert access is not None
    assert access.url == "https://10.96.0.1:443"
    assert str(access.token_file) == "/var/run/secrets/kubernetes.io/serviceaccount/token"
    assert read(**inside).discovery.kubernetes is None


def test_nameservers_may_have_ports() -> None:
    found = read(DNS_NAMESERVERS="10.0.0.2, 10.0.0.3:5353, [fd00::1]:54").discovery.nameservers
    assert [(each.host, each.port) for each in found] == [
        ("10.0.0.2", 53),
        ("10.0.0.3", 5353),
        ("fd00::1", 54),
    ]
