"""A Consul agent as far as the documentation of its HTTP API describes it: run it as a process of its own.

What it keeps to: `X-Consul-Index` of each answer is that of the last change of what was asked for; a query
with that index waits for a change, `wait` and up to a sixteenth of it more; an index of 0 never waits;
`stale` answers carry how long ago the leader was heard; a token is needed once one is set, and what it may
not read is left out or refused with 403; keys that do not exist are a 404 that has an index and can be
waited for; checks with a TTL become critical when nobody updates them. `PUT /fake` makes it misbehave.

    python fake_consul.py PORT
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


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
    ttl_until: dict[str, float] = field(default_factory=dict)
    fake: dict[str, Any] = field(default_factory=dict)
    """How to misbehave."""
    asked: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

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


class Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if found is None:
        raise Refused(400, f'Invalid wait time: time: invalid duration "{text}"')
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[found[2]]


async def answer(
    method: str, target: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    parts = urlsplit(target)
    path, query = unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))
    if path == "/fake":
        fake = json.loads(body)
        if fake.pop("reset", False):
            STATE.__init__()  # type: ignore[misc]  # whoever still waits gets the new state's answer
        if "token" in fake:
            STATE.token = fake.pop("token")
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
        case "PUT", ["v1", "agent", "service", "register"]:
            if not allowed:
                raise Refused(403, "Permission denied: token lacks permission 'service:write'")
            register(json.loads(body))
            return 200, {}, b""
        case "PUT", ["v1", "agent", "service", "deregister", identifier]:
            entry = STATE.services.pop(identifier, None)
            if entry is None:
                raise Refused(404, f'Unknown service ID "{identifier}"')
            STATE.touch(f"service/{entry['Service']['Service']}", "catalog")
            return 200, {}, b""
        case "GET", ["v1", "agent", "service", identifier]:
            if identifier not in STATE.services:
                raise Refused(404, f"unknown service ID: {identifier}")
            return 200, {}, json.dumps(STATE.services[identifier]["Service"]).encode()
        case "PUT", ["v1", "agent", "check", "update", check]:
            update(unquote(check), json.loads(body)["Status"])
            return 200, {}, b""
        case _:
            raise Refused(404, "")


def register(definition: dict[str, Any]) -> None:
    name = definition["Name"]
    identifier = definition.get("ID", name)
    checks = definition.get("Checks") or ([definition["Check"]] if "Check" in definition else [])
    STATE.services[identifier] = {
        "Node": {"Node": "n1", "Address": "127.0.0.1", "Datacenter": "dc1", "Meta": {}},
        "Service": {
            "ID": identifier,
            "Service": name,
            "Tags": definition.get("Tags") or [],
            "Address": definition.get("Address", ""),
            "Port": definition.get("Port", 0),
            "Meta": definition.get("Meta") or {},
            "Weights": definition.get("Weights") or {"Passing": 1, "Warning": 1},
        },
        "Checks": [
            {
                "CheckID": check.get("CheckID", f"service:{identifier}"),
                "Status": check.get("Status", "critical"),
            }
            for check in checks
        ],
    }
    for check in checks:
        if "TTL" in check:
            STATE.ttl_until[identifier] = time.monotonic() + seconds(check["TTL"])
    STATE.touch(f"service/{name}", "catalog")


def update(check_id: str, status: str) -> None:
    for entry in STATE.services.values():
        for check in entry["Checks"]:
            if check["CheckID"] == check_id:
                check["Status"] = status
                STATE.touch(f"service/{entry['Service']['Service']}")
                return
    raise Refused(404, f'Unknown check ID "{check_id}"')


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


async def expire() -> None:
    while True:
        await asyncio.sleep(0.05)
        for identifier, until_s in list(STATE.ttl_until.items()):
            if time.monotonic() >= until_s and identifier in STATE.services:
                del STATE.ttl_until[identifier]
                for check in STATE.services[identifier]["Checks"]:
                    check["Status"] = "critical"
                STATE.touch(f"service/{STATE.services[identifier]['Service']['Service']}")


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    expiring = asyncio.create_task(expire())
    async with server:
        await server.serve_forever()
    expiring.cancel()


if __name__ == "__main__":
    asyncio.run(main())
