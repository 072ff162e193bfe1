"""The composition root: what one process opens, and the gateway as an application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

from dhatu_gateway.auth.audit import keep_trimmed
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.store.opening import open_store
from dhatu_gateway.composing import Around, Opened, Serving, open_serving
from dhatu_gateway.core.answering import kept_answers
from dhatu_gateway.core.degradation.maintenance import Maintenance
from dhatu_gateway.core.edge import Edge
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.tls.context import RenewedContext
from dhatu_gateway.deployment import Deployment, load_table
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.reloading import Outcome, Reloads, Together
from dhatu_gateway.settings import Settings
from dhatu_gateway.shared.link import Link, server_at
from dhatu_gateway.table import Table, generated_table
from dhatu_gateway.ways import Sharing

__all__ = ["Gateway", "Table", "generated_table", "open_edge"]

_logger = logging.getLogger("dhatu.app")


@asynccontextmanager
async def open_edge(
    settings: Settings,
    table: Table,
    lifecycle: Lifecycle | None = None,
    tls: RenewedContext | None = None,
) -> AsyncGenerator[Edge]:
    """Open the stores and connections, and yield the request path; closes them in the end.

    `tls` is what clients are met with, watched along with the certificates for services.
    """
    async with open_site(settings, table, Around(lifecycle=lifecycle or Lifecycle(), tls=tls)) as reloads:
        yield reloads.serving.edge


@asynccontextmanager
async def open_site(settings: Settings, table: Table, around: Around) -> AsyncGenerator[Reloads[Serving]]:
    """Open everything, and yield what serves."""
    for variable in settings.without_effect:
        _logger.warning("%s is set but has no effect yet", variable)
    for doubt in settings.unread:
        _logger.warning(doubt)
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database)
        stack.push_async_callback(store.close)
        if settings.audit_keep_days:
            _run_beside(stack, keep_trimmed(store, settings.audit_keep_days, wall_clock=time.time))
        link = _link(settings)
        if link is not None:
            stack.push_async_callback(link.close)
            await link.open()
        opened = Opened(
            store=store,
            sharing=None if link is None else Sharing(link),
            storage=_limit_storage(settings, link),
            kept=kept_answers(link),
            maintenance=_maintenance(settings, stack),
            around=around,
        )
        reloads = Reloads(await open_serving(opened, settings, table), grace_s=settings.drain.grace_s)
        stack.push_async_callback(reloads.close)
        if opened.sharing is not None:
            stack.push_async_callback(opened.sharing.close)
        reloads.serving.take_over()
        yield reloads


class Gateway:
    """The gateway as an ASGI application: opens everything on startup and closes it on shutdown."""

    def __init__(
        self,
        settings: Settings,
        table: Table,
        *,
        together: Together | None = None,
        joining: Callable[[], Awaitable[None]] | None = None,
        finish: Callable[[], None] = lambda: None,
    ) -> None:
        """`joining` is called before the first connection is taken; `finish` when nothing more is logged."""
        self.lifecycle = Lifecycle(settings.drain)
        self._settings = settings
        self._table = table
        self._together = together
        self._joining = joining
        self._finish = finish
        self._edge: Edge | None = None
        self._reloads: Reloads[Serving] | None = None
        self.tls = None if settings.tls is None else settings.tls.context()
        """What clients are met with; None without TLS."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and self._edge is not None:
            return self._edge(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        raise RuntimeError(f"the gateway serves no {scope['type']}, or has not been started")

    async def prepare(self, deployment: Deployment, *, anew: bool = True) -> Outcome:
        """Compose what a deployment says beside what is served, and tell whether it can take over.

        Without `anew` the table is not read again: only the overrides are other ones.
        """
        reloads = self._reloads
        if reloads is None:
            return Outcome(problems=("the gateway has not started yet",))

        async def build(before: Serving) -> Serving:
            table = await load_table(deployment, before.table, anew=anew)
            return await open_serving(before.parts.opened, deployment.settings, table, before)

        try:
            prepared = await reloads.prepare(build)
        except (AuthError, ValueError) as error:
            return Outcome(problems=(str(error),))
        except Exception as error:
            _logger.exception("what shall be served cannot be composed")
            return Outcome(problems=(f"{type(error).__name__}: {error}",))
        return Outcome(digest=prepared.table.digest, routes=len(prepared.table.routes))

    def commit(self) -> None:
        """Serve what has been prepared, from the next request on."""
        if self._reloads is not None:
            self._reloads.commit()
            serving = self._reloads.serving
            self._edge = serving.edge
            serving.take_over()

    async def abandon(self) -> None:
        """Forget what has been prepared."""
        if self._reloads is not None:
            await self._reloads.abandon()

    async def _live(self, receive: Receive, send: Send) -> None:
        try:
            await receive()
            async with AsyncExitStack() as stack:
                try:
                    around = Around(lifecycle=self.lifecycle, tls=self.tls, together=self._together)
                    site = open_site(self._settings, self._table, around)
                    self._reloads = await stack.enter_async_context(site)
                    self._edge = self._reloads.serving.edge
                    if self._joining is not None:
                        await self._joining()
                except Exception as error:
                    expected = isinstance(error, (AuthError, ValueError))
                    _logger.error("the gateway cannot start: %s", error, exc_info=not expected)
                    await send({"type": "lifespan.startup.failed"})
                    return
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
        finally:
            self._finish()


def _maintenance(settings: Settings, stack: AsyncExitStack) -> Maintenance | None:
    """Follow the file that says what is out of use, if there is to be one."""
    if settings.maintenance_file is None:
        return None
    maintenance = Maintenance(settings.maintenance_file)
    _run_beside(stack, maintenance.follow())
    return maintenance


def _run_beside(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Run something until the stack is closed."""
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)


def _link(settings: Settings) -> Link | None:
    if settings.redis_url is None:
        return None
    return Link(server_at(settings.redis_url, settings.redis_password))


def _limit_storage(settings: Settings, link: Link | None) -> MemoryStorage | RedisStorage:
    return MemoryStorage() if link is None else RedisStorage(link, local_share=settings.limit_local_share)
