"""uvicorn's server around our own protocol."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import uvicorn

from dhatu_gateway.core.server.cycle import Application
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.server.protocol import ServerProtocol

GRACE_S = 25
"""How long requests may take to end at shutdown; below the 30 s after which Kubernetes kills."""
BACKLOG = 2_048


def server_config(
    factory: Callable[[], Application], *, limits: ServerLimits, host: str, port: int, workers: int = 1
) -> uvicorn.Config:
    """Return what uvicorn runs; `factory` makes the application, in the process that uses it.

    No access log, no server header, no WebSockets, no trust in proxy headers.
    """
    return uvicorn.Config(
        factory,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=cast(Any, functools.partial(ServerProtocol, limits=limits)),  # a class is all that it asks for
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )
