"""The services and checks of the fake agent, as the documentation of Consul describes them.

A definition without a name is refused, and a check that is of no kind or of two. Checks with a TTL become
critical when nobody updates them, and only those can be updated. Checks with `HTTP` are really asked. A
check is critical until it is known to be well, unless its definition says otherwise. A service that was
critical for `DeregisterCriticalServiceAfter`, a minute at least, is dropped. Registered again, a service
keeps its checks unless they are to be replaced.
"""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError

LEAST_DEREGISTER_S = 60.0


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


@dataclass
class Clock:
    """When a check expires, and since when it is critical."""

    service: str
    ttl_s: float = 0.0
    until_s: float = 0.0
    deregister_s: float = 0.0
    critical_s: float | None = None
    asking: asyncio.Task[None] | None = None


class Checks:
    """Registers services and keeps their checks."""

    def __init__(self, services: dict[str, dict[str, Any]], touch: Callable[..., None]) -> None:
        self._services = services
        self._touch = touch
        self._clocks: dict[str, Clock] = {}
        self.ahead_s = 0.0
        """How much later it is than the clock says."""

    def register(self, definition: Any, *, replace: bool) -> None:
        name = definition.get("Name", "") if isinstance(definition, dict) else ""
        if not name:
            raise Refused(400, "Missing service name")
        identifier = definition.get("ID") or name
        wanted = definition.get("Checks") or ([definition["Check"]] if definition.get("Check") else [])
        for check in wanted:
            if ("TTL" in check) == ("HTTP" in check and "Interval" in check):
                raise Refused(400, "Invalid check: TTL must be > 0 or Interval must be set")
        known = self._services.get(identifier, {"Checks": []})["Checks"]
        made = [self._check(identifier, name, check) for check in wanted]
        ids = {check["CheckID"] for check in made}
        kept = [] if replace else [check for check in known if check["CheckID"] not in ids]
        for gone in {check["CheckID"] for check in known} - {check["CheckID"] for check in kept}:
            self._forget(gone)
        self._services[identifier] = {
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
            "Checks": [*kept, *made],
        }
        for check, said in zip(made, wanted, strict=True):
            self._start(identifier, check, said)
        self._touch(f"service/{name}", "catalog")

    def deregister(self, identifier: str) -> None:
        entry = self._services.pop(identifier, None)
        if entry is None:
            raise Refused(404, f'Unknown service ID "{identifier}"')
        for check in entry["Checks"]:
            self._forget(check["CheckID"])
        self._touch(f"service/{entry['Service']['Service']}", "catalog")

    def update(self, check_id: str, status: str, output: str) -> None:
        if status not in ("passing", "warning", "critical"):
            raise Refused(400, f"Invalid check status: '{status}'")
        clock = self._clocks.get(check_id)
        if clock is None or not clock.ttl_s:
            raise Refused(404, f'Unknown check ID "{check_id}". Ensure that the check ID is passed')
        clock.until_s = self._now_s() + clock.ttl_s
        self._set(clock.service, check_id, status, output)

    def look(self) -> None:
        """Let time do its work."""
        now_s = self._now_s()
        for check_id, clock in list(self._clocks.items()):
            if clock.ttl_s and clock.until_s <= now_s:
                self._set(clock.service, check_id, "critical", "TTL expired")
            since_s = clock.critical_s
            if clock.deregister_s and since_s is not None and now_s - since_s >= clock.deregister_s:
                self.deregister(clock.service)

    def end(self) -> None:
        for check_id in list(self._clocks):
            self._forget(check_id)

    def _now_s(self) -> float:
        return time.monotonic() + self.ahead_s

    def _check(self, identifier: str, name: str, said: dict[str, Any]) -> dict[str, Any]:
        return {
            "CheckID": said.get("CheckID") or f"service:{identifier}",
            "Name": said.get("Name") or f"Service '{name}' check",
            "Status": said.get("Status") or "critical",
            "Output": "",
            "ServiceID": identifier,
            "ServiceName": name,
            "Type": "ttl" if "TTL" in said else "http",
        }

    def _start(self, identifier: str, check: dict[str, Any], said: dict[str, Any]) -> None:
        after = said.get("DeregisterCriticalServiceAfter")
        clock = Clock(
            service=identifier, deregister_s=max(LEAST_DEREGISTER_S, seconds(after)) if after else 0
        )
        clock.critical_s = self._now_s() if check["Status"] == "critical" else None
        if "TTL" in said:
            clock.ttl_s = seconds(said["TTL"])
            clock.until_s = self._now_s() + clock.ttl_s
        else:
            clock.asking = asyncio.get_running_loop().create_task(self._ask(check["CheckID"], said))
        self._forget(check["CheckID"])
        self._clocks[check["CheckID"]] = clock

    async def _ask(self, check_id: str, said: dict[str, Any]) -> None:
        while True:
            status, output = await asyncio.to_thread(_answer, said["HTTP"])
            if check_id in self._clocks:
                self._set(self._clocks[check_id].service, check_id, status, output)
            await asyncio.sleep(seconds(said["Interval"]))

    def _set(self, identifier: str, check_id: str, status: str, output: str) -> None:
        entry, clock = self._services[identifier], self._clocks[check_id]
        if status != "critical":
            clock.critical_s = None
        elif clock.critical_s is None:
            clock.critical_s = self._now_s()
        for check in entry["Checks"]:
            if check["CheckID"] == check_id and (check["Status"], check["Output"]) != (status, output):
                check["Status"], check["Output"] = status, output
                self._touch(f"service/{entry['Service']['Service']}")

    def _forget(self, check_id: str) -> None:
        clock = self._clocks.pop(check_id, None)
        if clock is not None and clock.asking is not None:
            clock.asking.cancel()


def _answer(url: str) -> tuple[str, str]:
    """2xx is passing, 429 a warning, anything else critical."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            status = answer.status
    except HTTPError as error:
        status = error.code
    except (URLError, OSError) as error:
        return "critical", str(error)
    found = "passing" if 200 <= status < 300 else "warning" if status == 429 else "critical"
    return found, f"HTTP GET {url}: {status}"
