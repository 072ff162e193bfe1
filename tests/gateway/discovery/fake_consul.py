"""A Consul agent as far as the documentation of its HTTP API describes it: run it as a process of its own.

What it keeps to: `X-Consul-Index` of each answer is that of the last change of what was asked for; a query
with that index waits for a change, `wait` and up to a sixteenth of it more; an index of 0 never waits;
`stale` answers carry how long ago the leader was heard; a token is needed once one is set, and what it may
not read is left out or refused with 403; keys that do not exist are a 404 that has an index and can be
waited for. Checks are those of `fake_checks.py`. `PUT /fake` makes it misbehave.

    python -m gateway.discovery.fake_consul PORT [CERTIFICATE_AND_KEY AUTHORITIES_OF_CLIENTS]
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import ssl
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.discovery.fake_checks import Checks, Refused, seconds


@dataclass
class State:
    """What a Consul cluster knows."""

    index: int = 10
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Instances by id, in the form that the health endpoints show them."""
    changed_at: dict[str, int] = field(default_factory=dict)
    """Index of the last change, by what changed: a service's name, a key."""
    keys: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    token: str = ""
    checks: Checks = field(init=False)
    fake: dict[str, Any] = field(default_factory=dict)
    """How to misbehave."""
    asked: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.checks = Checks(self.services, self.touch)

    def touch(self, *names: str) -> None:
        self.index += 1
        for name in names:
            self.changed_at[name] = self.index
        self.changed.set()
        self.changed = asyncio.Event()

    def index_of(self, names: list[str]) -> int:
        """Where nothing was ever changed, any change may be the one that is waited for."""
        return max((self.changed_at.get(name, 0) for name in names), default=0) or self.index


STATE = State()


async def answer(
    method: str, target: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    parts = urlsplit(target)
    path, query = unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))
    if path == "/fake":
        fake = json.loads(body)
        if fake.pop("reset", False):
            STATE.checks.end()
            STATE.__init__()  # type: ignore[misc]  # whoever still waits gets the new state's answer
        if "token" in fake:
            STATE.token = fake.pop("token")
        STATE.checks.ahead_s += fake.pop("pass_s", 0)
        asked = STATE.asked
        if "index" in fake:  # a restored snapshot: indexes go backwards
            STATE.index = fake.pop("index")
            STATE.changed_at = dict.fromkeys(STATE.changed_at, STATE.index)
            STATE.changed.set()
            STATE.changed = asyncio.Event()
        STATE.fake = fake
        return 200, {}, json.dumps(asked).encode()
    STATE.asked.append(f"{method} {target}")
    fake = STATE.fake
    if fake.get("status"):
        return fake["status"], {}, fake.get("text", "No cluster leader").encode()
    if fake.get("delay_s"):
        await asyncio.sleep(fake["delay_s"])
    status, extra, content = await route(method, path, query, headers, body)
    if "body" in fake:
        content = fake["body"].encode()
    return status, {**extra, **fake.get("headers", {})}, content


async def route(
    method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    allowed = not STATE.token or headers.get("x-consul-token") == STATE.token
    match method, path.split("/")[1:]:
        case "GET", ["v1", "health", "service", name]:
            return await blocking(query, [f"service/{name}"], lambda: health(name, query, allowed))
        case "GET", ["v1", "catalog", "services"]:
            return await blocking(query, ["catalog"], lambda: catalog(allowed))
        case "GET", ["v1", "kv", *key]:
            if not allowed:
                raise Refused(403, "Permission denied: token lacks permission 'key:read'")
            return await blocking(query, [], lambda: values("/".join(key), query))
        case "PUT", ["v1", "kv", *key]:
            STATE.touch("kv")
            STATE.keys["/".join(key)] = (body, STATE.index)
            return 200, {}, b"true"
        case "DELETE", ["v1", "kv", *key]:
            STATE.keys.pop("/".join(key), None)
            STATE.touch("kv")
            return 200, {}, b"true"
        case _, ["v1", "agent", *rest]:
            verb, permission = ("read", "service:read") if method == "GET" else ("write", "service:write")
            if not allowed:
                raise Refused(403, f"Permission denied: token lacks permission '{permission}' to {verb}")
            return agent(method, rest, query, json.loads(body or b"null"))
        case _:
            raise Refused(404, "")


def agent(
    method: str, rest: list[str], query: dict[str, str], body: Any
) -> tuple[int, dict[str, str], bytes]:
    """The agent's own services and checks."""
    match method, rest:
        case "PUT", ["service", "register"]:
            STATE.checks.register(body, replace=query.get("replace-existing-checks") == "true")
        case "PUT", ["service", "deregister", identifier]:
            STATE.checks.deregister(identifier)
        case "GET", ["service", identifier]:
            if identifier not in STATE.services:
                raise Refused(404, f"unknown service ID: {identifier}")
            return 200, {}, json.dumps(STATE.services[identifier]["Service"]).encode()
        case "GET", ["services"]:
            found = {name: entry["Service"] for name, entry in STATE.services.items()}
            return 200, {}, json.dumps(found).encode()
        case "GET", ["checks"]:
            checks = [check for entry in STATE.services.values() for check in entry["Checks"]]
            return 200, {}, json.dumps({check["CheckID"]: check for check in checks}).encode()
        case "PUT", ["check", "update", check]:
            STATE.checks.update(check, body["Status"], body.get("Output", ""))
        case "PUT", ["check", "pass" | "warn" | "fail" as how, check]:
            status = {"pass": "passing", "warn": "warning", "fail": "critical"}[how]
            STATE.checks.update(check, status, query.get("note", ""))
        case _:
            raise Refused(404, "")
    return 200, {}, b""


def health(name: str, query: dict[str, str], allowed: bool) -> tuple[int, dict[str, str], Any]:
    if not allowed:
        return 200, {"X-Consul-Results-Filtered-By-ACLs": "true"}, []
    passing = "passing" in query and query["passing"] not in ("0", "false")
    found = [
        entry
        for entry in STATE.services.values()
        if entry["Service"]["Service"] == name
        and ("tag" not in query or query["tag"] in entry["Service"]["Tags"])
        and (not passing or all(check["Status"] == "passing" for check in entry["Checks"]))
    ]
    return 200, {}, found


def catalog(allowed: bool) -> tuple[int, dict[str, str], Any]:
    tags: dict[str, set[str]] = {"consul": set()}
    for entry in STATE.services.values() if allowed else ():
        tags.setdefault(entry["Service"]["Service"], set()).update(entry["Service"]["Tags"])
    return 200, {}, {name: sorted(values) for name, values in tags.items()}


def values(key: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
    found = [
        {"Key": name, "Value": base64.b64encode(value).decode() or None, "ModifyIndex": index, "Flags": 0}
        for name, (value, index) in sorted(STATE.keys.items())
        if (name.startswith(key) if "recurse" in query else name == key)
    ]
    return (200, {}, found) if found else (404, {}, None)


async def blocking(query: dict[str, str], names: list[str], read: Any) -> tuple[int, dict[str, str], bytes]:
    names = names or ["kv"]
    asked = int(query.get("index", "0") or 0)
    wait_s = min(seconds(query.get("wait", "5m")), 600.0)
    until_s = time.monotonic() + wait_s + random.random() * wait_s / 16
    while 0 < asked == STATE.index_of(names) and (left_s := until_s - time.monotonic()) > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(STATE.changed.wait(), left_s)
    status, extra, content = read()
    head = {
        "X-Consul-Index": str(STATE.index_of(names)),
        "X-Consul-KnownLeader": "true",
        "X-Consul-LastContact": "0" if "stale" not in query else str(random.randrange(50)),
        **extra,
    }
    return status, head, b"" if content is None else json.dumps(content).encode()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            line, *fields = head[:-4].split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value for name, value in (item.split(": ", 1) for item in fields)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            try:
                status, extra, content = await answer(method, target, headers, body)
            except Refused as error:
                status, extra, content = error.status, {}, error.text.encode()
            lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
            lines += [f"{name}: {value}" for name, value in extra.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
            await writer.drain()
    writer.close()


def tls_context(certificate: str, authorities: str) -> ssl.SSLContext:
    """As an agent with `verify_incoming`: nobody comes in without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(authorities)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def expire() -> None:
    while True:
        await asyncio.sleep(0.05)
        STATE.checks.look()


async def main() -> None:
    context = tls_context(*sys.argv[2:4]) if len(sys.argv) > 2 else None
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    expiring = asyncio.create_task(expire())
    async with server:
        await server.serve_forever()
    expiring.cancel()


if __name__ == "__main__":
    asyncio.run(main())
