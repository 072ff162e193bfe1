"""What generated pages and jobs extend beside their model: they know the call that they came from."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import pydantic

from ._call import PageSpec
from ._jobs import JobOrigin
from ._models import BaseModel
from ._origin import Origin
from ._pages import PageOrigin

if TYPE_CHECKING:
    from ._client import AsyncAPIClient, SyncAPIClient

T = TypeVar("T")
O = TypeVar("O", PageOrigin, JobOrigin)  # noqa: E741


class Bound(BaseModel):
    """A model that goes on from where it came, and is equal to the plain model of the same members."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, pydantic.BaseModel):
            return NotImplemented
        kinds = type(self), type(other)
        if not issubclass(*kinds) and not issubclass(*reversed(kinds)):
            return False
        return (vars(self), self.__pydantic_extra__) == (vars(other), other.__pydantic_extra__)


class AsyncPage(Bound, Generic[T]):
    """One page of a list; `async for` goes through its items and those of all pages after it."""

    _origin: PageOrigin | None = pydantic.PrivateAttr(default=None)

    def has_next_page(self) -> bool:
        """Whether there is a page after this one. Raises `PaginationError` where it was read already."""
        return _known(self._origin).next_call(self) is not None

    async def next_page(self) -> Self | None:
        """The page after this one; None after the last. Raises `PaginationError` where it is no new one."""
        origin = _known(self._origin)
        found = origin.next_call(self)
        if found is None:
            return None
        client = cast("AsyncAPIClient", origin.client)
        page = await client.call(origin.invocation.operation, found.arguments, found.options)
        following = cast("Self", page)
        origin.led_to(_known(following._origin), found, (self, following))
        return following

    async def pages(self) -> AsyncIterator[Self]:
        """This page and all after it."""
        page: Self | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in _known(page._origin).items(page):
                yield item


class SyncPage(Bound, Generic[T]):
    """The twin of `AsyncPage`: `for` goes through its items and those of all pages after it."""

    _origin: PageOrigin | None = pydantic.PrivateAttr(default=None)

    def has_next_page(self) -> bool:
        """Whether there is a page after this one. Raises `PaginationError` where it was read already."""
        return _known(self._origin).next_call(self) is not None

    def next_page(self) -> Self | None:
        """The page after this one; None after the last. Raises `PaginationError` where it is no new one."""
        origin = _known(self._origin)
        found = origin.next_call(self)
        if found is None:
            return None
        client = cast("SyncAPIClient", origin.client)
        page = client.call(origin.invocation.operation, found.arguments, found.options)
        following = cast("Self", page)
        origin.led_to(_known(following._origin), found, (self, following))
        return following

    def pages(self) -> Iterator[Self]:
        """This page and all after it."""
        page: Self | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]  # items, where pydantic has members
        for page in self.pages():
            yield from _known(page._origin).items(page)


class AsyncJob(Bound, Generic[T]):
    """Work that goes on after the answer."""

    _origin: JobOrigin | None = pydantic.PrivateAttr(default=None)

    async def wait(
        self, *, timeout_s: float | None = None, on_progress: Callable[[T], object] | None = None
    ) -> T:
        """Ask how far the job is, ever more patiently, until it has succeeded; return how it is then.

        `timeout_s` is for the whole wait, in seconds; without it, there is no end. `on_progress` is called
        with every answer, and awaited where it is async. Raises `JobFailedError` where the job failed,
        `JobTimeoutError` where the time ran out.
        """
        origin = _known(self._origin)
        client, status = cast("AsyncAPIClient", origin.client), origin.spec.status()
        waiting = origin.waiting(self, timeout_s)
        told: Any = None
        try:
            while True:
                step = waiting.send(told)
                told = None
                if isinstance(step, float | int):
                    await origin.surroundings.asleep(step)
                    continue
                told = await client.call(status, origin.arguments(self), step)
                if on_progress is not None and isawaitable(pending := on_progress(told)):
                    await pending
        except StopIteration as stop:
            return cast("T", stop.value)


class SyncJob(Bound, Generic[T]):
    """The twin of `AsyncJob` for code without an event loop."""

    _origin: JobOrigin | None = pydantic.PrivateAttr(default=None)

    def wait(self, *, timeout_s: float | None = None, on_progress: Callable[[T], object] | None = None) -> T:
        """Ask how far the job is, ever more patiently, until it has succeeded; return how it is then.

        `timeout_s` is for the whole wait, in seconds; without it, there is no end. `on_progress` is called
        with every answer. Raises `JobFailedError` where the job failed, `JobTimeoutError` where the time ran
        out.
        """
        origin = _known(self._origin)
        client, status = cast("SyncAPIClient", origin.client), origin.spec.status()
        waiting = origin.waiting(self, timeout_s)
        told: Any = None
        try:
            while True:
                step = waiting.send(told)
                told = None
                if isinstance(step, float | int):
                    origin.surroundings.sleep(step)
                    continue
                told = client.call(status, origin.arguments(self), step)
                if on_progress is not None:
                    on_progress(told)
        except StopIteration as stop:
            return cast("T", stop.value)


def bind(module: str, twin: str, origin: Origin, value: object) -> object:
    """The value as the page or the job that it is; `twin` is `Sync` for the sync client.

    `module` is the one that holds the classes; a leading dot means this package.
    """
    operation = origin.invocation.operation
    spec = operation.page or operation.job
    assert spec is not None, "only such operations are bound"
    kind: type[Any] = getattr(importlib.import_module(module, __package__), twin + spec.type)
    if not isinstance(value, pydantic.BaseModel) or not issubclass(kind, type(value)):
        return value  # another answer than the one that goes on
    # It has been validated: what it holds is taken over as it is, as pydantic itself copies a model.
    found = kind.__new__(kind)
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__"):
        object.__setattr__(found, name, getattr(value, name))
    known = PageOrigin(origin, spec) if isinstance(spec, PageSpec) else JobOrigin(origin, spec)
    object.__setattr__(
        found, "__pydantic_private__", {**(value.__pydantic_private__ or {}), "_origin": known}
    )
    return found


def _known(origin: O | None) -> O:
    if origin is None:
        raise RuntimeError("this was not answered by a client, or came out of a pickle: make the call again")
    return origin
