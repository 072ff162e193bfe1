"""Settings of discovery: how the gateway is registered, and where it keeps endpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhatu_gateway.settings import Settings, SettingsError, read_settings
from dhatu_gateway.table import generated_table


def read(**variables: str) -> Settings:
    return read_settings({"GATEWAY_DEMO": "1", **variables}, generated_table().platform.services)


def test_a_registration_is_read_with_everything_that_it_needs() -> None:
    registered = {"CONSUL_URL": "http://consul", "GATEWAY_CONSUL_REGISTER": "edge"}
    own = read(**registered).discovery.registration
    assert own is not None
    assert (own.name, own.address, own.port, own.check, own.tls) == ("edge", "127.0.0.1", 0, "ttl", False)
    full = read(
        **registered,
        GATEWAY_HOST="0.0.0.0",
        GATEWAY_CONSUL_ADDRESS="[FD00::1]:443",
        GATEWAY_CONSUL_TAGS="public, v2",
        GATEWAY_CONSUL_META="version=1.2,zone=eu-1",
        GATEWAY_CONSUL_CHECK="http",
    ).discovery.registration
    assert full is not None
    assert (full.address, full.port, full.tags) == ("fd00::1", 443, ("public", "v2"))
    assert full.meta == {"version": "1.2", "zone": "eu-1"}
    check = full.definition()["Check"]
    assert check["HTTP"] == "http://[fd00::1]:443/api/v1/health/ready"
    assert check["DeregisterCriticalServiceAfter"] == "300s"
    anywhere = read(**registered, GATEWAY_HOST="::", GATEWAY_CONSUL_ADDRESS=":81").discovery.registration
    assert anywhere is not None
    assert (anywhere.address, anywhere.port) == ("", 81)
    assert read(CONSUL_URL="http://consul").discovery.registration is None


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"GATEWAY_CONSUL_REGISTER": "a b"}, "GATEWAY_CONSUL_REGISTER: must be a name"),
        ({"GATEWAY_CONSUL_REGISTER": "a", "CONSUL_URL": ""}, "GATEWAY_CONSUL_REGISTER: needs CONSUL_URL"),
        ({"GATEWAY_CONSUL_TAGS": "a"}, "GATEWAY_CONSUL_TAGS: needs GATEWAY_CONSUL_REGISTER"),
        ({"GATEWAY_CONSUL_ADDRESS": "a:0"}, "GATEWAY_CONSUL_ADDRESS: must be an address"),
        ({"GATEWAY_CONSUL_ADDRESS": "http://a"}, "GATEWAY_CONSUL_ADDRESS: must be an address"),
        ({"GATEWAY_CONSUL_META": "version"}, "GATEWAY_CONSUL_META: must be pairs"),
        ({"GATEWAY_CONSUL_TAGS": "a b"}, "GATEWAY_CONSUL_TAGS: must be words"),
        ({"GATEWAY_CONSUL_ID": "a b"}, "GATEWAY_CONSUL_ID: must be a word"),
        ({"GATEWAY_CONSUL_CHECK": "tcp"}, "GATEWAY_CONSUL_CHECK: must be ttl or http"),
        ({"GATEWAY_CONSUL_DEREGISTER_AFTER_S": "30"}, "must be a whole number from 60"),
        (
            {"GATEWAY_CONSUL_REGISTER": "a", "GATEWAY_CONSUL_CHECK": "http", "GATEWAY_HOST": "0.0.0.0"},
            "GATEWAY_CONSUL_ADDRESS: must say where the agent reaches",
        ),
        (
            {
                "GATEWAY_CONSUL_REGISTER": "a",
                "GATEWAY_CONSUL_CHECK": "http",
                "GATEWAY_CLIENT_CERTIFICATES": "required",
            },
            "GATEWAY_CONSUL_CHECK: must be ttl",
        ),
    ],
)
def test_a_registration_that_cannot_work_is_refused(variables: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{"CONSUL_URL": "http://consul", **variables})
    assert why in str(caught.value)


def test_endpoints_are_kept_where_a_file_can_be(tmp_path: Path) -> None:
    kept = read(GATEWAY_ENDPOINTS_FILE=str(tmp_path / "endpoints.json")).discovery.endpoints_file
    assert kept == tmp_path / "endpoints.json"
    assert read().discovery.endpoints_file is None
    for bad in (tmp_path, tmp_path / "gone" / "endpoints.json"):
        with pytest.raises(SettingsError, match="GATEWAY_ENDPOINTS_FILE: must name a file in a folder"):
            read(GATEWAY_ENDPOINTS_FILE=str(bad))
