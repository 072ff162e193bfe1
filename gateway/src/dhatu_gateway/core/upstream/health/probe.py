"""One health check of one endpoint, on a connection of its own."""

from __future__ import annotations

import asyncio
import re
import ssl
from functools import cache
from typing import Final

from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.health.checks import Probe
from dhatu_gateway.core.upstream.policy import HealthCheck

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2})[ \r]")
_MAX_LINE_BYTES: Final = 4_096


@cache
def _default_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def build_probe(policy: HealthCheck, tls: ssl.SSLContext | None) -> Probe:
    """The check that the policy describes; `tls` is for https endpoints, by default the system's."""
    request = (
        f"GET {policy.path} HTTP/1.1\r\nhost: %s\r\nuser-agent: dhatu-gateway\r\nconnection: close\r\n\r\n"
    )

    async def probe(endpoint: Endpoint) -> str:
        try:
            async with asyncio.timeout(policy.timeout_s):
                return await _ask(endpoint)
        except TimeoutError:
            return f"no answer within {policy.timeout_s:g} s"
        except (OSError, ValueError) as error:  # ValueError: a line that is too long
            return str(error)

    async def _ask(endpoint: Endpoint) -> str:
        reader, writer = await asyncio.open_connection(
            endpoint.host,
            endpoint.port,
            ssl=(tls or _default_context()) if endpoint.tls else None,
            server_hostname=endpoint.found_as or endpoint.host if endpoint.tls else None,
            limit=_MAX_LINE_BYTES,
        )
        try:
            if policy.kind == "tcp":
                return ""
            writer.write((request % endpoint.host_header).encode("ascii"))
            found = _STATUS_LINE.match(await reader.readline())
            if found is None:
                return "its answer is not HTTP/1.1"
            status = int(found[1])
            good = any(first <= status <= last for first, last in policy.statuses)
            return "" if good else f"it answered {status} to {policy.path}"
        finally:
            writer.transport.abort()

    return probe
