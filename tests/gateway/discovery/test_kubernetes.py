"""Endpoints by Kubernetes: listed once, then watched, and listed anew where the watch has lost something."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.core.discovery.http import JsonClient, ServerAccess
from dhatu_gateway.core.discovery.kubernetes import KubernetesSource, read_slices
from dhatu_gateway.core.discovery.origin import KubernetesOrigin
from dhatu_gateway.core.discovery.source import DiscoveryError
from dhatu_gateway.core.discovery.standing import Standing, follow
from gateway.discovery.fake_kubernetes import FakeKubernetes, fake_kubernetes
from gateway.discovery.support import QUICK, Seen, until

ORIGIN = KubernetesOrigin(namespace="prod", service="corpus", port="http", tls=False)


def pod(address: str, **conditions: bool | None) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions or {"ready": True}, "zone": "eu-1"}


@asynccontextmanager
async def following(
    fake: FakeKubernetes, token_file: Path | None = None
) -> AsyncGenerator[tuple[Standing, Seen]]:
    seen = Seen()
    standing = Standing("corpus", "kubernetes", seen)
    client = JsonClient(ServerAccess(name="Kubernetes", url=fake.url, token_file=token_file))
    task = asyncio.create_task(follow(KubernetesSource(ORIGIN, client), standing, QUICK))
    try:
        yield standing, seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.close()


async def test_pods_come_and_go_as_the_watch_says() -> None:
    async with fake_kubernetes() as fake:
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake) as (_, seen):
            await until(lambda: seen.sets == [["10.0.0.1:8102"]])
            assert [endpoint.zone for endpoint in seen.last] == ["eu-1"]
            fake.put("corpus-2", "corpus", [pod("10.0.0.2")])
            fake.put("other-1", "other", [pod("10.0.0.9")])
            await until(lambda: seen.sets[-1] == ["10.0.0.1:8102", "10.0.0.2:8102"])
            fake.put("corpus-1", "corpus", [pod("10.0.0.1", ready=False)])
            await until(lambda: seen.sets[-1] == ["10.0.0.2:8102"])
            fake.put("corpus-1", "corpus", [pod("10.0.0.3")])
            await until(lambda: seen.sets[-1] == ["10.0.0.2:8102", "10.0.0.3:8102"])
            fake.delete("corpus-2")
            await until(lambda: seen.sets[-1] == ["10.0.0.3:8102"])
            assert len([target for target in fake.asked if "watch" not in target]) == 1


async def test_a_watch_that_ends_goes_on_after_the_last_version_bookmarks_included() -> None:
    async with fake_kubernetes() as fake:
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake) as (standing, seen):
            await until(lambda: len(fake.watchers) == 1)
            fake.bookmark()
            version = fake.version
            await asyncio.sleep(0.05)
            fake.end_watches()
            fake.put("corpus-2", "corpus", [pod("10.0.0.2")])
            await until(lambda: len(seen.sets) == 2)
            assert f"resourceVersion={version}" in fake.asked[-1]
            assert standing.error == ""


async def test_a_version_that_is_too_old_leads_to_a_new_list() -> None:
    async with fake_kubernetes() as fake:
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake) as (_, seen):
            await until(lambda: len(fake.watchers) == 1)
            fake.delete("corpus-1")
            fake.put("corpus-9", "corpus", [pod("10.0.0.9")])
            fake.oldest = fake.version + 1
            fake.end_watches()
            fake.version += 2
            await until(lambda: seen.sets[-1] == ["10.0.0.9:8102"])


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<html>\n", "not JSON"),
        (b"[]\n", "makes no sense"),
        (b'{"type": "ADDED", "object": {}}\n', "makes no sense"),
        (
            b'{"type": "ADDED", "object": {"metadata": {"name": "x", "resourceVersion": "1"}}}\n',
            "makes no sense",
        ),
    ],
)
async def test_a_watch_that_lies_leaves_the_last_good_set(raw: bytes, why: str) -> None:
    async with fake_kubernetes() as fake:
        fake.raw = raw
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake) as (standing, seen):
            await until(lambda: why in standing.error)
            assert seen.sets == [["10.0.0.1:8102"]]
            fake.raw = b""
            fake.put("corpus-2", "corpus", [pod("10.0.0.2")])
            await until(lambda: len(seen.sets) == 2)


async def test_an_api_server_that_fails_leaves_the_last_good_set() -> None:
    async with fake_kubernetes() as fake:
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake) as (standing, seen):
            await until(lambda: len(fake.watchers) == 1)
            fake.status = 503
            fake.end_watches()
            await until(lambda: "answered 503" in standing.error)
            assert seen.sets == [["10.0.0.1:8102"]]
            fake.status = 200
            await until(lambda: standing.error == "")


async def test_no_ready_pod_leaves_the_last_good_set() -> None:
    async with fake_kubernetes() as fake:
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake) as (standing, seen):
            await until(lambda: len(seen.sets) == 1)
            fake.put("corpus-1", "corpus", [])
            await until(lambda: standing.error == "no endpoint is ready, so the last good ones stay")
            assert seen.sets == [["10.0.0.1:8102"]]


async def test_the_token_is_read_anew_from_its_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n", encoding="ascii")
    async with fake_kubernetes() as fake:
        fake.token = "new"
        fake.put("corpus-1", "corpus", [pod("10.0.0.1")])
        async with following(fake, token) as (standing, seen):
            await until(lambda: "answered 401" in standing.error)
            token.write_text("new\n", encoding="ascii")
            await until(lambda: len(seen.sets) == 1)


def slices(endpoints: list[Any], family: str = "IPv4", **fields: Any) -> dict[str, Any]:
    ports = [
        {"name": "http", "port": 80},
        {"name": "metrics", "port": 9090},
        {"name": "http", "port": 1, "protocol": "UDP"},
    ]
    return {"addressType": family, "ports": ports, "endpoints": endpoints, **fields}


def hosts(*found: dict[str, Any], port: str = "http") -> list[str]:
    origin = KubernetesOrigin(namespace="n", service="s", port=port, tls=False)
    return [endpoint.authority for endpoint in read_slices(found, origin)]


def test_ready_pods_are_used_and_ending_ones_only_where_there_are_no_others() -> None:
    ready, unknown = pod("10.0.0.1", ready=True), pod("10.0.0.2", ready=None)
    ending = pod("10.0.0.3", ready=False, serving=True, terminating=True)
    sick = pod("10.0.0.4", ready=False, serving=False, terminating=True)
    assert hosts(slices([ready, unknown, ending, sick])) == ["10.0.0.1", "10.0.0.2"]
    assert hosts(slices([ending, sick])) == ["10.0.0.3"]
    assert hosts(slices([sick])) == []


def test_pods_with_two_families_are_used_by_one() -> None:
    four, six = slices([pod("10.0.0.1")]), slices([pod("fd00::1")], "IPv6")
    assert hosts(four, six) == ["10.0.0.1"]
    assert hosts(six) == ["[fd00::1]"]
    assert hosts(slices([pod("x.example")], "FQDN")) == []


def test_a_port_is_chosen_by_name_or_number_and_left_out_only_where_there_is_one() -> None:
    assert hosts(slices([pod("10.0.0.1")]), port="metrics") == ["10.0.0.1:9090"]
    assert hosts(slices([pod("10.0.0.1")]), port="9090") == ["10.0.0.1:9090"]
    assert hosts(slices([pod("10.0.0.1")]), port="") == []
    assert hosts(slices([pod("10.0.0.1")], ports=[{"port": 7}]), port="") == ["10.0.0.1:7"]
    assert hosts({"addressType": "IPv4", "ports": None, "endpoints": None}, port="") == []


@pytest.mark.parametrize("broken", [{}, {"addressType": "IPv4", "ports": [1]}, slices([{"addresses": []}])])
def test_a_slice_that_makes_no_sense_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(DiscoveryError, match="makes no sense"):
        hosts(broken)
