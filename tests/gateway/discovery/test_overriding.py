"""Overrides in the key-value store of a gateway that serves: in force in all its processes, or in none."""

from __future__ import annotations

import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from gateway.discovery.support import FakeConsul, admin_key
from gateway.processes.support import PATIENCE_S, Running, gateway, until

KEY = "/v1/kv/dhatu/gateway/corpus"


def policy(running: Running, key: str) -> str:
    """What an answer says of the limit, of whichever process; the service itself is not there."""
    connection = HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/api/v1/corpus/search?q=x", headers={"X-API-Key": key})
        answer = connection.getresponse()
        answer.read()
        return answer.headers["RateLimit-Policy"]
    finally:
        connection.close()


def policies(running: Running, key: str) -> set[str]:
    return {policy(running, key).split(";w=")[0] for _ in range(12)}


def status(running: Running, key: str) -> Any:
    code, found = running.ask("/api/v1/status", {"X-API-Key": key})
    assert code == 200, found
    return found


def limited(limit: object, **more: object) -> dict[str, Any]:
    return {"operations": {"corpus.search": {"rate_limit": {"limit": limit}, **more}}}


@pytest.mark.xdist_group("workers")
@pytest.mark.parametrize(("workers", "fits"), [("1", False), ("2", True)])
async def test_what_is_written_is_in_force_in_all_processes_or_in_none(
    consul: FakeConsul, tmp_path: Path, workers: str, fits: bool
) -> None:
    key = await admin_key(tmp_path / "keys.sqlite3")
    consul.put(KEY, limited(5000) if fits else {"operations": {"corpus.find": {}}})
    environment = {
        "CONSUL_URL": consul.url,
        "CONSUL_KEY_PREFIX": "dhatu/gateway",
        "CORPUS_SERVICE_URL": "http://127.0.0.1:9;weight=2",
        "GATEWAY_DATABASE": str(tmp_path / "keys.sqlite3"),
        "GATEWAY_WORKERS": workers,
    }
    with gateway(tmp_path, **environment) as running:
        running.logged("ready")
        if fits:
            assert policies(running, key) == {'"default";q=5000'}  # from the first request on
        else:
            assert "no such operation" in status(running, key)["overrides"]["error"]

        consul.put(KEY, {**limited(6000), "weights": {"*": 7}})
        until(lambda: policies(running, key) == {'"default";q=6000'}, "not in force")
        shown = status(running, key)
        [corpus] = [service for service in shown["services"] if service["name"] == "corpus"]
        assert [endpoint["weight"] for endpoint in corpus["endpoints"]] == [7]
        found = shown["overrides"]
        assert (found["prefix"], found["services"]) == ("dhatu/gateway", ["corpus"])
        assert (found["operations"], found["error"]) == (["corpus.search"], "")

        consul.put(KEY, {**limited(7000, burst=3), "weights": {"*": 8}})
        until(lambda: status(running, key)["overrides"]["error"], "not refused")
        assert "corpus.search.burst: Unexpected" in status(running, key)["overrides"]["error"]
        consul.put(KEY, {"operations": {"corpus.find": {}}, "weights": {"*": 8}})  # only a table knows that
        until(lambda: "no such operation" in status(running, key)["overrides"]["error"], "not refused")
        assert policies(running, key) == {'"default";q=6000'}

        running.process.send_signal(signal.SIGHUP)
        running.logged("the gateway serves the table")
        assert policies(running, key) == {'"default";q=6000'}

        consul.put(KEY, limited(8000))
        until(lambda: policies(running, key) == {'"default";q=8000'}, "not in force")
        assert status(running, key)["overrides"]["error"] == ""
