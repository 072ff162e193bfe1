"""What the Python SDK costs: a call, importing it, its first call; beside httpx and the `openai` package.

One server in a process of its own answers at once. All that is compared sends the same small JSON body over
connections that are kept open, on asyncio's own loop, in turns within one run:

- httpx: `client.post(url, json=...)` and `.json()`, with nothing around it;
- openai: `client.post(path, body=..., cast_to=httpx.Response)`, the package's own way to any path, with its
  retries and timeouts as they come and the answer left as it is;
- the SDK: a method with its retries, breakers, budget and pacing as they come, and the answer as a model;
  over httpx and over aiohttp.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import httpx2
import openai
from dhatu_client import DhatuAPI
from dhatu_reference.processes import free_ports

from .report import Figure, report

PATH = "/api/v1/compress"
BODY = {"text": "dharmakṣetre kurukṣetre"}
CONCURRENCY = (1, 32, 100)
ROUNDS = 7
CALLS = 400
PROCESSES = 9
GENERATED = Path(__file__).parents[2] / "sdk-python" / "src" / "dhatu_client" / "generated"

Call = Callable[[], Awaitable[object]]

_IMPORT = """
import json, sys, time
wall_s, cpu_s = time.perf_counter(), time.process_time()
__import__(sys.argv[1])
print(json.dumps([time.perf_counter() - wall_s, time.process_time() - cpu_s]))
"""

_FIRST_CALL = """
import asyncio, json, sys, time
from dhatu_client import DhatuAPI

async def main():
    longest_s = 0.0

    async def tick():
        nonlocal longest_s
        while True:
            began_s = time.perf_counter()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.perf_counter() - began_s - 0.005)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    began_s, longest_s = time.perf_counter(), 0.0
    async with DhatuAPI(base_url=sys.argv[1], token="t", http_client=sys.argv[2]) as client:
        await client.compress("sandhi")
        await asyncio.sleep(0.01)
        ticking.cancel()
        print(json.dumps([longest_s, time.perf_counter() - began_s]))

asyncio.run(main())
"""


_PEERS = {"SDK": "httpx", "SDK, aiohttp": "openai", "openai": "httpx", "httpx": None}
"""What each is compared with."""


class Cost(NamedTuple):
    """Of one call, in microseconds."""

    wall_us: float
    cpu_us: float
    """Of the client's process."""


def main() -> None:
    """Measure, print, and write build/bench.json."""
    print(__doc__)
    with _server() as url:
        costs = asyncio.run(measure(url))
        report(calls(costs))
        report(first_calls(url))
    report(imports())
    report([source()])


async def measure(url: str) -> dict[tuple[str, int], list[Cost]]:
    """The costs by what was called and how many at once, one for each round."""
    costs: dict[tuple[str, int], list[Cost]] = {}
    async with _contestants(url) as contestants:
        for call in contestants.values():
            await call()
        for _ in range(ROUNDS):
            for at_once in CONCURRENCY:
                for name, call in contestants.items():
                    costs.setdefault((name, at_once), []).append(await _cost(call, at_once))
    return costs


@asynccontextmanager
async def _contestants(url: str) -> AsyncIterator[Mapping[str, Call]]:
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
        bare = await stack.enter_async_context(
            httpx.AsyncClient(headers={"Authorization": "Bearer t"}, limits=limits)
        )
        peer = await stack.enter_async_context(openai.AsyncOpenAI(base_url=url, api_key="t"))
        over_httpx = await stack.enter_async_context(DhatuAPI(base_url=url, token="t"))
        over_aiohttp = await stack.enter_async_context(
            DhatuAPI(base_url=url, token="t", http_client="aiohttp")
        )

        async def call_bare() -> object:
            return (await bare.post(url + PATH, json=BODY)).json()

        async def call_peer() -> object:
            return await peer.post(PATH, body=BODY, cast_to=httpx2.Response)

        yield {
            "httpx": call_bare,
            "openai": call_peer,
            "SDK": lambda: over_httpx.compress(BODY["text"]),
            "SDK, aiohttp": lambda: over_aiohttp.compress(BODY["text"]),
        }


async def _cost(call: Call, at_once: int) -> Cost:
    left = CALLS

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    wall_s, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return Cost(
        wall_us=1e6 * (time.perf_counter() - wall_s) / CALLS,
        cpu_us=1e6 * (time.process_time() - cpu_s) / CALLS,
    )


def calls(costs: Mapping[tuple[str, int], list[Cost]]) -> list[Figure]:
    """The quickest round of each, since whatever else runs on the machine only adds."""
    figures: list[Figure] = []
    for kind, of in (("call", "wall_us"), ("processor", "cpu_us")):
        best = {key: min(float(getattr(cost, of)) for cost in of_one) for key, of_one in costs.items()}
        for name, peer in _PEERS.items():
            figures += [
                Figure(
                    name=f"{name}: {kind}, {at_once} at once",
                    value=best[name, at_once],
                    unit="us",
                    ratio=best[name, at_once] / best[peer, at_once] if peer else None,
                    against=peer,
                )
                for at_once in CONCURRENCY
            ]
    return figures


def first_calls(url: str) -> list[Figure]:
    """The longest time for which the loop stands still during the first call of a process."""
    figures: list[Figure] = []
    for library in ("httpx", "aiohttp"):
        runs = [_python(_FIRST_CALL, url, library) for _ in range(PROCESSES)]
        figures.append(
            Figure(name=f"SDK, {library}: stall of the loop", value=1e3 * min(r[0] for r in runs), unit="ms")
        )
        figures.append(
            Figure(name=f"SDK, {library}: first call", value=1e3 * min(r[1] for r in runs), unit="ms")
        )
    return figures


def imports() -> list[Figure]:
    """What importing takes, without the start of Python."""
    runs: dict[str, list[list[float]]] = {"dhatu_client": [], "openai": []}
    for _ in range(PROCESSES):
        for package, taken in runs.items():
            taken.append(_python(_IMPORT, package))
    wall, cpu = ({name: 1e3 * min(run[at] for run in taken) for name, taken in runs.items()} for at in (0, 1))
    return [
        Figure(
            name=f"import dhatu_client: {kind}",
            value=by_name["dhatu_client"],
            unit="ms",
            ratio=by_name["dhatu_client"] / by_name["openai"],
            against="import openai",
        )
        for kind, by_name in (("time", wall), ("processor", cpu))
    ]


def source() -> Figure:
    """Generated source that is there for the operations: not the models, the inputs' types, the commands."""
    count = (GENERATED / "api.md").read_text(encoding="utf-8").count("\n- `client.")
    left_out = ("models", "inputs.py", "commands.py")
    files = (path for path in GENERATED.rglob("*.py") if path.relative_to(GENERATED).parts[0] not in left_out)
    size_bytes = sum(path.stat().st_size for path in files)
    return Figure(name="SDK: generated source", value=size_bytes / count, unit="B/operation")


def _python(program: str, *arguments: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    figures: list[float] = json.loads(done.stdout)
    return figures


@contextmanager
def _server() -> Iterator[str]:
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-m", "bench.upstream", str(port)])
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _await(url: str) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    main()
