"""The API server of Kubernetes as far as EndpointSlices go: lists, watches, versions, bookmarks, tokens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeKubernetes:
    """Keeps slices by name, and every event since `oldest`."""

    def __init__(self) -> None:
        self.url = ""
        self.token = ""
        self.version = 100
        self.oldest = 100
        """Watches from before it are answered by 410, as after a compaction of etcd."""
        self.slices: dict[str, dict[str, Any]] = {}
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[str] = []
        self.status = 200
        self.raw = b""
        """Sent into every watch that begins."""
        self.changed = asyncio.Event()
        self.watchers: set[asyncio.StreamWriter] = set()

    def put(self, name: str, service: str, endpoints: list[Any], *, port: Any = 8102, **fields: Any) -> None:
        kind = "MODIFIED" if name in self.slices else "ADDED"
        self.version += 1
        ports = [{"name": "http", "port": port, "protocol": "TCP"}]
        metadata = {
            "name": name,
            "resourceVersion": str(self.version),
            "labels": {"kubernetes.io/service-name": service},
        }
        item = {"addressType": "IPv4", "ports": ports, "endpoints": endpoints, "metadata": metadata, **fields}
        self.slices[name] = item
        self._happened(kind, item)

    def delete(self, name: str) -> None:
        self.version += 1
        item = self.slices.pop(name)
        item["metadata"]["resourceVersion"] = str(self.version)
        self._happened("DELETED", item)

    def bookmark(self) -> None:
        self.version += 1
        self._happened("BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}})

    def end_watches(self) -> None:
        for writer in self.watchers:
            writer.close()

    def _happened(self, kind: str, item: dict[str, Any]) -> None:
        self.events.append((self.version, json.loads(json.dumps({"type": kind, "object": item}))))
        self.changed.set()
        self.changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                target = head.split(" ")[1]
                self.asked.append(target)
                query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
                service = query["labelSelector"].removeprefix("kubernetes.io/service-name=")
                if self.token and f"Bearer {self.token}" not in head:
                    self._answer(writer, 401, {"kind": "Status", "code": 401})
                elif self.status != 200:
                    self._answer(writer, self.status, {"kind": "Status", "code": self.status})
                elif "watch" in query:
                    await self._watch(writer, service, int(query["resourceVersion"]))
                    break
                else:
                    items = [item for item in self.slices.values() if _service(item) == service]
                    self._answer(
                        writer, 200, {"items": items, "metadata": {"resourceVersion": str(self.version)}}
                    )
        writer.close()

    def _answer(self, writer: asyncio.StreamWriter, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))

    async def _watch(self, writer: asyncio.StreamWriter, service: str, seen: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + self.raw)
        self.watchers.add(writer)
        try:
            if seen < self.oldest:
                gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
                writer.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
                return
            while not writer.is_closing():
                for version, event in self.events:
                    if version > seen and _service(event["object"]) in ("", service):
                        writer.write(json.dumps(event).encode() + b"\n")
                seen = self.version
                await self.changed.wait()
        finally:
            self.watchers.discard(writer)


def _service(item: dict[str, Any]) -> str:
    name: str = item["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
    return name


@asynccontextmanager
async def fake_kubernetes() -> AsyncGenerator[FakeKubernetes]:
    fake = FakeKubernetes()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await fake.serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
