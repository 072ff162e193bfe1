"""A provider that is out keeps no gateway from starting, and whoever watches the gateway is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.settings import read_settings
from gateway.auth.forgery import SECRET
from gateway.auth.providers.misbehaving import Misbehaving, json_response, misbehaving
from gateway.auth.providers.support import EC_KEY, KEYS, METADATA, jwk, metadata
from gateway.support import Client, serving

TABLE = generated_table()


def environment(directory: Path, server: Misbehaving, **members: object) -> dict[str, str]:
    provider = {
        "name": "staff",
        "issuer": server.origin,
        "audiences": ["dhatu-api"],
        "allow_private": True,
    } | members
    (directory / "providers.json").write_text(json.dumps({"providers": [provider]}))
    return {
        "GATEWAY_DATABASE": str(directory / "keys.sqlite3"),
        "JWT_SECRET_KEY": SECRET,
        "OIDC_PROVIDERS_FILE": str(directory / "providers.json"),
    }


async def status(client: Client) -> tuple[int, str, str]:
    ready = await client.request("GET", "/api/v1/health/ready")
    whole = await client.request("GET", "/api/v1/health")
    [check] = [check for check in whole.json["checks"] if check["name"] == "provider:staff"]
    return ready.status, whole.json["status"], check["status"]


@pytest.mark.parametrize("is_out", [True, False])
async def test_the_gateway_starts_without_its_provider(tmp_path: Path, is_out: bool) -> None:
    async with misbehaving() as server:
        server.answers[METADATA] = json_response(metadata(server.origin), 503 if is_out else 200)
        server.answers[KEYS] = json_response({"keys": [jwk(EC_KEY, "a")]})
        settings = read_settings(environment(tmp_path, server), TABLE.platform.services)
        async with open_edge(settings, TABLE) as edge, serving(edge) as client:
            assert server.requests == []
            # Degraded in either case: no service runs behind this gateway.
            assert await status(client) == (200, "degraded", "failed" if is_out else "ok")


async def test_a_role_that_platform_yaml_does_not_describe(tmp_path: Path) -> None:
    async with misbehaving() as server:
        principal = {"fixed_roles": ["emperor"]}
        settings = read_settings(environment(tmp_path, server, principal=principal), TABLE.platform.services)
        with pytest.raises(ProviderFileError, match="provider staff: there is no role 'emperor'"):
            async with open_edge(settings, TABLE):
                pass
