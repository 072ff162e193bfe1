"""What the command line asks of a gateway that runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

TIMEOUT_S = 150.0
"""Longer than a reload may take."""


class RemoteError(Exception):
    """The gateway cannot be reached, or refuses; the message says why."""


def ask(method: str, url: str, key: str, tls_ca: str | None = None) -> dict[str, Any]:
    """Call an operation of the gateway and return its answer; raises `RemoteError`."""
    import httpx  # each worker imports the command line, and asks nobody

    try:
        verify: Any = True if tls_ca is None else httpx.create_ssl_context(verify=tls_ca)
        with httpx.Client(timeout=TIMEOUT_S, verify=verify, trust_env=False) as client:
            reply = client.request(method, url, headers={"X-API-Key": key})
            answer: dict[str, Any] = reply.json()
    except httpx.HTTPError as error:
        raise RemoteError(f"{url} cannot be asked: {error}") from error
    except ValueError as error:
        raise RemoteError(f"{url} does not answer in JSON; is it a gateway?") from error
    if reply.status_code != 200:
        detail = answer.get("detail", answer.get("title", ""))
        raise RemoteError(f"{url} answers {reply.status_code}: {detail}")
    return answer


def status_lines(status: dict[str, Any]) -> Iterator[str]:
    """The status for people.

    >>> source = {"restored": True, "age_s": 7200.4, "error": "Consul cannot be reached"}
    >>> endpoint = {"url": "http://a", "status": "ok", "in_flight": 2}
    >>> service = {"name": "corpus", "status": "ok", "discovery": source, "endpoints": [endpoint]}
    >>> status = {"title": "T", "version": "1", "routes": 3, "table": "built-in", "services": [service]}
    >>> status["overrides"] = {"prefix": "gw", "services": ["corpus"], "operations": ["*"], "error": ""}
    >>> status["registration"] = {"state": "waiting", "service": "gw", "id": "gw-1", "error": "403"}
    >>> print("\\n".join(status_lines({**status, "mocked": ["a.b"], "workers": [7, 8], "uptime_s": 90.0})))
    T 1: 3 operations, table built-in
    workers   7 8 (this one is up for 90 s)
    in Consul waiting as gw (gw-1): 403
    overrides gw/: of corpus, *
    mocked    a.b
    corpus    ok
              endpoints of before the start, 7200 s old: Consul cannot be reached
              http://a  ok, 2 under way
    """
    yield f"{status['title']} {status['version']}: {status['routes']} operations, table {status['table']}"
    workers = " ".join(map(str, status["workers"]))
    yield f"{'workers':9} {workers} (this one is up for {status['uptime_s']:.0f} s)"
    yield from _registration_lines(status["registration"])
    yield from _override_lines(status["overrides"])
    if status["mocked"]:
        yield f"{'mocked':9} {' '.join(status['mocked'])}"
    for service in status["services"]:
        yield f"{service['name']:9} {service['status']}"
        source = service["discovery"]
        if source["restored"]:
            yield f"{'':9} endpoints of before the start, {source['age_s']:.0f} s old: {source['error']}"
        yield from _endpoint_lines(service["endpoints"])


def _registration_lines(registration: dict[str, Any]) -> Iterator[str]:
    if registration["state"] != "off":
        error = f": {registration['error']}" if registration["error"] else ""
        where = f"as {registration['service']} ({registration['id']})"
        yield f"{'in Consul':9} {registration['state']} {where}{error}"


def _override_lines(overrides: dict[str, Any]) -> Iterator[str]:
    if overrides["prefix"]:
        names = ", ".join([*overrides["services"], *overrides["operations"]]) or "nothing"
        error = f"; what is written is not in force: {overrides['error']}" if overrides["error"] else ""
        yield f"{'overrides':9} {overrides['prefix']}/: of {names}{error}"


def _endpoint_lines(endpoints: Iterable[dict[str, Any]]) -> Iterator[str]:
    for endpoint in endpoints:
        yield f"{'':9} {endpoint['url']}  {endpoint['status']}, {endpoint['in_flight']} under way"
