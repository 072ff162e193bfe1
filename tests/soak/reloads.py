"""`make soak`: reloads under load, by the call of an operator. No call may fail, and no verdict be wrong.

While a version takes over, either version's answer is right; once the gateway has said that it has, only the
new one's is, whichever worker is asked.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from soak.calls import Connection, Load, service
from soak.tables import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    reloads: int
    routes: int
    changing: int
    workers: int = 2
    clients: int = 8
    probes: int = 10
    """Calls after each reload, on connections of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    calls: int
    failed: list[str]
    wrong: list[str]
    reload_s: list[float]
    latencies_s: list[float]
    resident_mib: list[float]
    """Of the gateway's largest process, before and after."""

    @property
    def good(self) -> bool:
        return not self.failed and not self.wrong

    def __str__(self) -> str:
        rows = (
            ("calls", f"{self.calls:,}"),
            ("failed", f"{len(self.failed)} {self.failed[:3]}"),
            ("wrong verdicts", f"{len(self.wrong)} {self.wrong[:3]}"),
            ("reloads", f"{len(self.reload_s):,}"),
            ("a reload", f"{_share(self.reload_s, 0.5):.3f} s, at most {max(self.reload_s):.3f} s"),
            ("a call", f"p50 {1e3 * _share(self.latencies_s, 0.5):.1f} ms"),
            ("", f"p99 {1e3 * _share(self.latencies_s, 0.99):.1f} ms"),
            ("", f"at most {1e3 * max(self.latencies_s):.1f} ms"),
            ("largest process", " then ".join(f"{size:.0f} MiB" for size in self.resident_mib)),
        )
        return "\n".join(f"{name:16} {value}" for name, value in rows)


def _share(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


async def run(plan: Plan, directory: Path) -> Figures:
    """Carry the plan out with a gateway of its own."""
    versions = Versions.of(routes=plan.routes, changing=plan.changing)
    table = directory / "table.jsonl"
    versions.write(table, 0)
    async with service() as url:
        environment = {
            **os.environ,
            "GATEWAY_DEMO": "1",
            "GATEWAY_PORT": "0",
            "GATEWAY_WORKERS": str(plan.workers),
            "GATEWAY_TABLE": str(table),
            "COMPRESSION_SERVICE_URL": url,
            "REDIS_URL": "",
            "TMPDIR": str(directory),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "dhatu_gateway",
            "serve",
            env=environment,
            cwd=directory,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        try:
            announced = (await process.stderr.readline()).decode()
            port = int(announced.split(" (")[0].rsplit(":", 1)[1])
            while b"ready" not in await process.stderr.readline():
                pass
            reading = asyncio.create_task(_log(process.stderr))
            figures = await _reload(plan, versions, table, _Gateway(port, process.pid))
            process.send_signal(signal.SIGTERM)
            await process.wait()
            await reading
            return figures
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _log(stream: asyncio.StreamReader) -> None:
    while line := await stream.readline():
        if b'"level":"error"' in line:
            sys.stderr.write(line.decode())


@dataclass(frozen=True)
class _Gateway:
    port: int
    pid: int

    def resident_mib(self) -> float:
        pids = [self.pid, *map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]
        return max(_resident_mib(pid) for pid in pids)


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _reload(plan: Plan, versions: Versions, table: Path, gateway: _Gateway) -> Figures:
    # Several, for an operator may reload sixty times a minute.
    keys = [await _key(table.parent) for _ in range(min(20, 1 + plan.reloads // 10))]

    def allowed(number: int) -> frozenset[int]:
        return frozenset(versions.verdict(number, version) for version in (0, 1))

    load = Load(gateway.port, versions.target, allowed, plan.routes)
    reload_s: list[float] = []
    wrong: list[str] = []
    sizes = [gateway.resident_mib()]
    async with load.running(plan.clients):
        for count in range(1, plan.reloads + 1):
            versions.write(table, count % 2)
            began_s = time.perf_counter()
            await _ask(gateway.port, keys[count % len(keys)])
            reload_s.append(time.perf_counter() - began_s)
            wrong += await _probe(plan, versions, gateway.port, count)
            if count % 100 == 0:
                print(f"{count} reloads, {load.calls:,} calls, {len(load.failed)} failed", file=sys.stderr)
                sizes.append(gateway.resident_mib())
    return Figures(
        calls=load.calls,
        failed=load.failed,
        wrong=load.wrong + wrong,
        reload_s=reload_s,
        latencies_s=load.latencies_s,
        resident_mib=sizes,
    )


async def _probe(plan: Plan, versions: Versions, port: int, count: int) -> list[str]:
    """Ask for routes that change, each over a new connection, so that all workers are asked."""
    wrong: list[str] = []
    for probe in range(plan.probes):
        number = (count * plan.probes + probe) % versions.changing
        connection = Connection(port)
        status, expected = await connection.get(versions.target(number)), versions.verdict(number, count % 2)
        connection.close()
        if status != expected:
            wrong.append(f"{versions.target(number)} after reload {count}: {status} and not {expected}")
    return wrong


async def _key(directory: Path) -> str:
    command = ("keys", "create", "--name", "soak", "--scope", "system:manage", "--quiet")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dhatu_gateway", *command, cwd=directory, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode().strip()


async def _ask(port: int, key: str) -> None:
    """Call as an operator, patiently."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /api/v1/admin/reload HTTP/1.1\r\nHost: soak\r\nX-API-Key: {key}\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        writer.close()
        status = int(answer.split(b" ", 2)[1])
        if status == 200:
            return
        if status != 429:
            raise RuntimeError(answer.decode())
        await asyncio.sleep(1.0)


def main() -> None:
    """A thousand reloads of five thousand routes; SOAK_RELOADS and SOAK_ROUTES say otherwise."""
    plan = Plan(
        reloads=int(os.environ.get("SOAK_RELOADS", "1000")),
        routes=int(os.environ.get("SOAK_ROUTES", "5000")),
        changing=250,
    )
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(run(plan, Path(directory)))
    print(figures)
    sys.exit(0 if figures.good else 1)


if __name__ == "__main__":
    main()
