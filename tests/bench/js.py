"""What the JavaScript SDK costs: a call, its own part of it, large answers, events, importing it.

All that is compared runs in one process, in turns, against one server of Node.js that answers a small JSON:

- fetch: `JSON.parse(await (await fetch(url, { headers })).text())`, with nothing around it;
- fetch in time: the same with `AbortSignal.timeout()`;
- openai: `client.get(path)`, the npm package's own way to any path, with retries and timeouts as they come;
- the SDK: a method with retries, breakers, budget and pacing as they come, and the answer checked.

Then the same without a network, the `fetch` of all of them being one that answers out of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .report import BENCH_FILE, Figure, report

HERE = Path(__file__).parent / "javascript"
BUILD = BENCH_FILE.parent
SDK = BUILD / "sdk-js" / "src" / "index.js"
PEERS = BUILD / "bench"
PEER = "openai@7.59.0"
PROCESSES = 15

Costs = Mapping[str, list[list[float]]]
"""By what was called; of each round the microseconds of a call, and those of the processor."""

_SDK, _PEER = "SDK in JavaScript", "openai in Node"


def main() -> None:
    """Measure, print, and write build/bench.json."""
    print(__doc__)
    modules = (SDK.as_uri(), _peer().as_uri())
    with _server() as url:
        costs = _node("calls.mjs", url, *modules)
    report([figure for at_once in (1, 32, 100) for figure in calls(costs, f", {at_once} at once")])
    report(work(_node("work.mjs", *modules)))
    report(imports(*modules))


def calls(costs: Costs, how: str) -> list[Figure]:
    """All beside fetch, and so beside each other."""
    return [
        figure
        for name, peer in (("fetch", None), ("fetch in time", "fetch"), (_PEER, "fetch"), (_SDK, "fetch"))
        for figure in _figures(costs, f"{name}{how}", peer and f"{peer}{how}")
    ]


def work(costs: Costs) -> list[Figure]:
    """What needs no network."""
    bare = "no network"
    pairs = (
        (bare, None),
        (f"{_PEER}, {bare}", None),
        (f"{_SDK}, {bare}", f"{_PEER}, {bare}"),
        ("JSON.parse of 1 MB", None),
        (f"{_SDK}: answer of 1 MB", "JSON.parse of 1 MB"),
        ("lines split, data parsed", None),
        (f"{_PEER}: event", "lines split, data parsed"),
        (f"{_SDK}: event", "lines split, data parsed"),
    )
    figures = [figure for name, peer in pairs for figure in _figures(costs, name, peer)]
    own_us = _best(costs, f"{_SDK}, {bare}") - _best(costs, bare)
    figures.append(Figure(name=f"{_SDK}: its part of a call", value=own_us, unit="us"))
    per_s = 1e6 / _best(costs, f"{_SDK}: event")
    figures.append(Figure(name=f"{_SDK}: events", value=per_s, unit="1/s"))
    return figures


def imports(sdk: str, peer: str) -> list[Figure]:
    """What importing takes: a process that does, without the time of one that does nothing."""
    taken: dict[str, list[float]] = {}
    for _ in range(PROCESSES):
        for name, program in (("", ""), ("SDK", f"import('{sdk}')"), ("openai", f"import('{peer}')")):
            began_s = time.perf_counter()
            subprocess.run(["node", "-e", program], check=True)
            taken.setdefault(name, []).append(time.perf_counter() - began_s)
    empty_ms, sdk_ms, peer_ms = (1e3 * min(taken[name]) for name in ("", "SDK", "openai"))
    return [
        Figure(name="Node, an empty script", value=empty_ms, unit="ms"),
        Figure(name="import of openai in Node", value=peer_ms - empty_ms, unit="ms"),
        Figure(
            name=f"import of the {_SDK}",
            value=sdk_ms - empty_ms,
            unit="ms",
            ratio=(sdk_ms - empty_ms) / (peer_ms - empty_ms),
            against="import of openai in Node",
        ),
    ]


def _figures(costs: Costs, name: str, peer: str | None) -> list[Figure]:
    return [
        Figure(
            name=f"{name}{what}",
            value=_best(costs, name, at),
            unit="us",
            ratio=_best(costs, name, at) / _best(costs, peer, at) if peer else None,
            against=peer,
        )
        for at, what in ((0, ""), (1, ": processor"))
    ]


def _best(costs: Costs, name: str, at: int = 0) -> float:
    """The quickest round, since whatever else runs on the machine only adds."""
    return min(cost[at] for cost in costs[name])


def _peer() -> Path:
    """Installs the npm package that is compared with; nothing of it runs meanwhile."""
    PEERS.mkdir(parents=True, exist_ok=True)
    (PEERS / "package.json").write_text('{ "private": true }\n', encoding="utf-8")
    module = PEERS / "node_modules" / "openai"
    manifest = module / "package.json"
    if not manifest.exists() or f'"{PEER.partition("@")[2]}"' not in manifest.read_text(encoding="utf-8"):
        quiet = ("--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--silent")
        subprocess.run(["npm", "install", *quiet, PEER], cwd=PEERS, check=True)
    return module / "index.mjs"


def _node(script: str, *arguments: str) -> Costs:
    command = ["node", "--no-warnings", str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, check=True)
    costs: Costs = json.loads(done.stdout)
    return costs


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen(["node", str(HERE / "server.mjs")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
