"""What was known before a restart: a start begins with it while nobody knows better."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.core.discovery.discovery import Discovery, DiscoveryConfig
from dhatu_gateway.core.discovery.origin import ConsulOrigin, Origin
from dhatu_gateway.core.discovery.remembered import EndpointsFile
from dhatu_gateway.core.discovery.standing import Standing
from dhatu_gateway.core.upstream.discovery import Endpoint
from gateway.discovery.support import QUICK, FakeConsul, Seen, consul_access, found, until

ORIGIN = ConsulOrigin(service="corpus", tls=False)
NOBODY = "http://127.0.0.1:9"


@asynccontextmanager
async def discovery(path: Path, url: str, origin: Origin = ORIGIN) -> AsyncGenerator[tuple[Standing, Seen]]:
    seen = Seen()
    config = DiscoveryConfig(consul=consul_access(url), endpoints_file=path)
    asked = Discovery({"corpus": origin}, config, {"corpus": seen}, QUICK)
    await asked.open()
    try:
        yield asked.standings["corpus"], seen
    finally:
        await asked.close()


async def remembered(path: Path, consul: FakeConsul) -> None:
    """Let a gateway find an instance, and end."""
    consul.register("corpus", "c1", 8102, Tags=["canary"], Meta={"zone": "eu-1", "weight": "3"})
    async with discovery(path, consul.url):
        await until(path.exists)


async def test_a_start_without_consul_begins_with_what_was_known(consul: FakeConsul, tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    await remembered(path, consul)
    async with discovery(path, NOBODY) as (standing, seen):
        tags = ("canary",)
        assert seen.last == (Endpoint(host="127.0.0.1", port=8102, weight=3, zone="eu-1", tags=tags),)
        assert standing.restored
        assert standing.good_at_s is not None
        assert "cannot be reached" in standing.error
    assert os.listdir(tmp_path) == ["endpoints.json"]


async def test_consul_knows_better_and_an_empty_answer_does_not(consul: FakeConsul, tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    await remembered(path, consul)
    consul.deregister("c1")
    async with discovery(path, consul.url) as (standing, seen):
        assert standing.restored
        assert seen.sets == [["127.0.0.1:8102"]]
        consul.register("corpus", "c2", 8103)
        await until(lambda: not standing.restored)
        assert seen.sets[-1] == ["127.0.0.1:8103"]
        await until(lambda: b"8103" in path.read_bytes())


async def test_one_that_hangs_is_waited_for_no_longer_than_without_a_file(
    consul: FakeConsul, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "endpoints.json"
    await remembered(path, consul)
    consul.misbehave(delay_s=60)
    monkeypatch.setattr("dhatu_gateway.core.discovery.discovery.FIRST_ROUND_S", 0.05)
    async with discovery(path, consul.url) as (standing, seen):
        assert (standing.restored, seen.sets) == (True, [["127.0.0.1:8102"]])


async def test_what_another_origin_has_led_to_does_not_count(consul: FakeConsul, tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    await remembered(path, consul)
    elsewhere = ConsulOrigin(service="corpus", tls=False, datacenter="dc2")
    async with discovery(path, NOBODY, elsewhere) as (standing, seen):
        assert (standing.found, seen.sets) == ((), [])


GOOD: dict[str, Any] = {
    "host": "10.0.0.1",
    "port": 80,
    "tls": False,
    "weight": 1.0,
    "zone": "",
    "tags": [],
    "found_as": "",
}


def document(**fields: Any) -> str:
    stored = {"origin": repr(ORIGIN), "good_at_s": 1.0, "endpoints": [GOOD | fields]}
    return json.dumps({"format": 1, "services": {"corpus": stored}})


def test_a_file_that_is_right_is_read(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(document())
    assert EndpointsFile(path, {"corpus": ORIGIN}).read() == {
        "corpus": ((Endpoint(host="10.0.0.1", port=80),), 1.0)
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "\0" * 100,
        document()[:-20],
        document().replace('"format": 1', '"format": 2'),
        document(host="a b"),
        document(host="http://x"),
        document(port=0),
        document(port="80"),
        document(weight=-1),
        document(tags=["a b"]),
        document(found_as="x/y"),
        document(more=1),
        json.dumps({"format": 1, "services": {"corpus": {"origin": "", "good_at_s": 1, "endpoints": []}}}),
    ],
)
async def test_a_file_that_makes_no_sense_is_ignored_with_a_warning_and_replaced(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(text)
    file = EndpointsFile(path, {"corpus": ORIGIN})
    assert file.read() == {}
    assert "cannot be used, so nothing is known from before" in caplog.text
    file.write({"corpus": standing("10.0.0.2", good_at_s=5)})
    assert hosts(path) == {"corpus": ["10.0.0.2"]}


def standing(*names: str, good_at_s: float, service: str = "corpus") -> Standing:
    known = Standing(service, "consul", Seen())
    known.take(found(*names), good_at_s)
    return known


def hosts(path: Path) -> dict[str, list[str]]:
    services = json.loads(path.read_text())["services"]
    return {name: [endpoint["host"] for endpoint in stored["endpoints"]] for name, stored in services.items()}


async def test_the_newest_word_on_each_service_stays(tmp_path: Path) -> None:
    """Workers share the file; one of them may have heard something later, or nothing of a service."""
    path = tmp_path / "endpoints.json"
    origins: dict[str, Origin] = {"corpus": ORIGIN, "analysis": ORIGIN}
    file = EndpointsFile(path, origins)
    file.write({"corpus": standing("a", good_at_s=10), "analysis": standing("x", good_at_s=10)})
    file.write({"corpus": standing("old", good_at_s=5)})
    assert hosts(path) == {"corpus": ["a"], "analysis": ["x"]}
    file.write({"corpus": standing("b", good_at_s=11)})
    assert hosts(path) == {"corpus": ["b"], "analysis": ["x"]}
    before = standing("restored", good_at_s=20)
    before.restored = True
    file.write({"corpus": before})
    assert hosts(path)["corpus"] == ["b"]
    EndpointsFile(path, {"analysis": ORIGIN}).write({"analysis": standing("y", good_at_s=12)})
    assert hosts(path) == {"analysis": ["y"]}


async def test_a_folder_that_is_gone_is_said_once_and_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    file = EndpointsFile(tmp_path / "gone" / "endpoints.json", {"corpus": ORIGIN})
    for _ in range(2):
        await asyncio.to_thread(file.write, {"corpus": standing("a", good_at_s=1)})
    assert caplog.text.count("cannot be written") == 1
