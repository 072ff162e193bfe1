"""Drives a server with wrk, a load generator in C, and reads what it measured."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("load.lua")


class LoadError(Exception):
    """The load generator failed, or the server did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent over and over, and the status that every answer must have."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str]
    body: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run measured."""

    requests: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float


def describe_wrk() -> str:
    """Where the load generator comes from, for the head of a report; raises LoadError where there is none."""
    path = shutil.which("wrk")
    if path is None:
        raise LoadError("wrk is missing: install it (Debian: apt-get install wrk; macOS: brew install wrk).")
    version = subprocess.run([path, "-v"], capture_output=True, text=True, check=False).stdout
    return f"load generator: {version.split('[')[0].strip()} ({path}, from the system's packages)"


def run(base_url: str, request: Request, *, connections: int, duration_s: int, core: int) -> Load:
    """One run of wrk on one thread, pinned to `core`.

    Raises LoadError where any answer was not the expected one: a fast refusal is no throughput.
    """
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    script = [
        "-s",
        str(_SCRIPT),
        base_url,
        "--",
        request.method,
        request.path,
        str(request.status),
        request.body,
    ]
    wrk = ["wrk", "-t1", f"-c{connections}", f"-d{duration_s}s", "--timeout", "60s", *script, *headers]
    done = subprocess.run(["taskset", "-c", str(core), *wrk], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadError(f"wrk ended with code {done.returncode}: {done.stderr or done.stdout}")
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    if figures["failed"] or not figures["requests"]:
        raise LoadError(f"{figures['failed']} of {figures['requests']} requests to {base_url} failed")
    return Load(
        requests=figures["requests"],
        requests_per_s=figures["requests"] / (figures["duration_us"] / 1e6),
        p50_ms=figures["p50_us"] / 1e3,
        p99_ms=figures["p99_us"] / 1e3,
    )
