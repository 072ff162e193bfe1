"""Another table takes over: for the next request, without harm to those under way; or not at all."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.deployment import Deployment, read_deployment
from dhatu_gateway.table import Part
from gateway.core.test_app import key_in
from gateway.support import Client, serving
from soak.tables import Versions

TARGETS = {
    "stays": "/api/v1/soak0/items/7",
    "goes": "/api/v1/soak5/items/7",
    "comes": "/api/v1/soak1/items/7",
}


@dataclass
class Service:
    """Answers under the name of its own; a request that asks for it has to wait."""

    name: str
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"x-wait: yes" in head.lower():
                    self.waits.set()
                    await self.release.wait()
                body = json.dumps({"by": self.name}).encode()
                fields = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                writer.write(b"HTTP/1.1 200 OK\r\n" + fields + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def service(name: str) -> AsyncGenerator[Service]:
    made = Service(name)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
        server.close()


def deployment(directory: Path, url: str, **environment: str) -> Deployment:
    return read_deployment(
        {
            "GATEWAY_DEMO": "1",
            "GATEWAY_DATABASE": str(directory / "keys.sqlite3"),
            "GATEWAY_TABLE": str(directory / "table.jsonl"),
            "COMPRESSION_SERVICE_URL": url,
        }
        | environment
    )


@asynccontextmanager
async def started(deployed: Deployment) -> AsyncGenerator[tuple[Gateway, Client]]:
    """A gateway that has begun with the table of the specification, and a client of it."""
    gateway = Gateway(deployed.settings, generated_table())
    async with alive(gateway) as client:
        yield gateway, client


@asynccontextmanager
async def alive(gateway: Gateway) -> AsyncGenerator[Client]:
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    life = asyncio.ensure_future(gateway({"type": "lifespan"}, inbox.get, outbox.put))  # type: ignore[arg-type]  # queues of messages
    await inbox.put({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    async with serving(gateway) as client:
        yield client
    await inbox.put({"type": "lifespan.shutdown"})
    await life


async def reloaded(gateway: Gateway, deployed: Deployment) -> tuple[str, ...]:
    outcome = await gateway.prepare(deployed)
    gateway.commit()
    return outcome.problems


async def statuses(client: Client) -> dict[str, int]:
    return {name: (await client.request("GET", target)).status for name, target in TARGETS.items()}


async def test_routes_come_go_and_stay(tmp_path: Path) -> None:
    versions = Versions.of(routes=6, changing=5)
    async with service("one") as one:
        versions.write(tmp_path / "table.jsonl", 0)
        deployed = deployment(tmp_path, one.url)
        async with started(deployed) as (gateway, client):
            assert set((await statuses(client)).values()) == {404}
            assert await reloaded(gateway, deployed) == ()
            assert await statuses(client) == {"stays": 200, "goes": 200, "comes": 404}
            versions.write(tmp_path / "table.jsonl", 1)
            assert await reloaded(gateway, deployed) == ()
            assert await statuses(client) == {"stays": 404, "goes": 200, "comes": 200}


async def test_a_bad_table_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    versions = Versions.of(routes=6, changing=5)
    async with service("one") as one:
        versions.write(table, 0)
        deployed = deployment(tmp_path, one.url)
        async with started(deployed) as (gateway, client):
            await reloaded(gateway, deployed)
            before = await statuses(client)
            good = table.read_text()
            for bad, reason in (
                (good + "{}\n", ": route: Field required"),
                (good.replace("/items/{id}", "/items/{id}{"), "soak"),
                (good.replace('"maximum": 20', '"maximum": "x"'), "schema"),
                (good.replace('"scheme":"bearer"', '"scheme":"nobody"'), "nobody"),
            ):
                table.write_text(bad)
                [problem] = await reloaded(gateway, deployed)
                assert reason in problem
                assert await statuses(client) == before


async def test_a_request_under_way_ends_on_what_it_began_with(tmp_path: Path) -> None:
    """Though its service has moved, and nothing else is sent to where it was."""
    versions = Versions.of(routes=6, changing=0)
    versions.write(tmp_path / "table.jsonl", 0)
    async with (
        service("one") as one,
        service("two") as two,
        started(deployment(tmp_path, one.url)) as (gateway, client),
    ):
        await reloaded(gateway, deployment(tmp_path, one.url))
        slow = asyncio.create_task(client.request("GET", TARGETS["stays"], headers={"X-Wait": "yes"}))
        await one.waits.wait()
        assert await reloaded(gateway, deployment(tmp_path, two.url)) == ()
        assert (await client.request("GET", TARGETS["stays"])).json == {"by": "two"}
        one.release.set()
        assert (await slow).json == {"by": "one"}


async def test_figures_go_on(tmp_path: Path) -> None:
    settings = without_file(tmp_path).settings
    headers = {"X-API-Key": await key_in(tmp_path)}
    gateway = Gateway(settings, generated_table())
    async with alive(gateway) as client:
        await client.request("GET", "/api/v1/status", headers=headers)
        assert await reloaded(gateway, without_file(tmp_path, JWT_SECRET_KEY="x" * 40)) == ()
        await client.request("GET", "/api/v1/status", headers=headers)
        metrics = (await client.request("GET", "/api/v1/metrics", headers=headers)).body.decode()
    assert 'requests_total{operation="system.status",service="system",status="200"} 2.0' in metrics
    assert "dhatu_gateway_requests_in_flight 1.0" in metrics


def without_file(directory: Path, **environment: str) -> Deployment:
    given = {"GATEWAY_DEMO": "1", "GATEWAY_DATABASE": str(directory / "keys.sqlite3")}
    return read_deployment(given | environment)


async def test_a_former_table_goes_without_the_collector_of_circles(tmp_path: Path) -> None:
    """What is composed is set aside from collections, so a circle in it would stay for good."""
    versions = Versions.of(routes=6, changing=5)
    versions.write(tmp_path / "table.jsonl", 0)
    async with service("one") as one:
        deployed = deployment(tmp_path, one.url)
        async with started(deployed) as (gateway, _):
            gc.collect()
            others = _parts()  # of gateways before, in this process
            gc.disable()
            try:
                for version in (0, 1, 0, 1):
                    versions.write(tmp_path / "table.jsonl", version)
                    assert await reloaded(gateway, deployed) == ()
                served = len((tmp_path / "table.jsonl").read_text().splitlines()) - 1
                async with asyncio.timeout(10):
                    while _parts() - others > served:  # noqa: ASYNC110  # nobody tells when the last one has gone
                        await asyncio.sleep(0.05)
            finally:
                gc.enable()


def _parts() -> int:
    return sum(isinstance(thing, Part) for thing in gc.get_objects())
