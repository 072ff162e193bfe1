"""What a process does not need, it does not load: each of these libraries takes 5 to 6 MB of every worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

LEFT_OUT = frozenset({"dns", "httpx", "redis"})

BOOT = """
import asyncio, json, os, sys
import dhatu_gateway.cli  # a worker imports what its parent was started by
import dhatu_gateway.work
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.settings import read_settings

async def boot():
    table = generated_table()
    async with open_edge(read_settings(os.environ, table.platform.services), table):
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))

asyncio.run(boot())
"""


def loaded(directory: Path, **environment: str) -> set[str]:
    """The top-level modules of a process that serves with these settings."""
    settings = {"GATEWAY_DEMO": "1", "GATEWAY_DATABASE": str(directory / "store.sqlite3"), "REDIS_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", BOOT],
        env={**os.environ, **settings, **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_clients_of_what_is_not_configured_are_not_loaded(tmp_path: Path) -> None:
    assert not LEFT_OUT & loaded(tmp_path)


def test_sharing_limits_loads_no_client_of_redis(tmp_path: Path) -> None:
    """As several workers do with the server that their parent starts for them."""
    assert not LEFT_OUT & loaded(tmp_path, REDIS_URL="redis://127.0.0.1:9")


def test_those_of_what_is_configured_are_loaded(tmp_path: Path) -> None:
    asked = {"CORPUS_SERVICE_URL": "dns+http://corpus.test:8000", "DNS_NAMESERVERS": "127.0.0.1:9"}
    assert loaded(tmp_path, CONSUL_URL="http://127.0.0.1:9", **asked) >= {"dns", "httpx"}
