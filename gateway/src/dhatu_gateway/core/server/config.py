"""uvicorn's server around our own protocol."""

from __future__ import annotations

import functools
import ssl
from typing import Any, cast

import uvicorn

from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.server.cycle import Application
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.server.protocol import ServerProtocol

BACKLOG = 2_048


def server_config(
    application: Application,
    *,
    limits: ServerLimits,
    lifecycle: Lifecycle,
    tls: ssl.SSLContext | None = None,
    host: str = "",
    port: int = 0,
) -> uvicorn.Config:
    """Return what uvicorn runs; `host` and `port` are not used where it is given sockets.

    No access log, no server header, no WebSockets, no trust in proxy headers.
    """
    protocol = functools.partial(ServerProtocol, limits=limits, lifecycle=lifecycle)
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http=cast(Any, protocol),  # a class is all that it asks for
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        ssl_context_factory=None if tls is None else lambda config, default: tls,
    )
