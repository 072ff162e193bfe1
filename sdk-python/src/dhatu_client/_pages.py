"""Lists that come page by page: which call brings the next page, and whether there is one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

from ._call import OMIT, Arguments, CallOptions, Operation, PageSpec
from ._errors import PaginationError
from ._origin import Origin

if TYPE_CHECKING:
    from ._bound import AsyncPage
    from ._client import AsyncAPIClient

T = TypeVar("T", covariant=True)
P = TypeVar("P", bound="AsyncPage[Any]", covariant=True)

_LINK = re.compile(r"<([^>]*)>((?:\s*;[^,;\"]*(?:\"[^\"]*\")?)*)")


class AsyncPaginator(Generic[P, T]):
    """A list that comes page by page: await it for its first page, or go through its items with `async for`.

    Nothing is sent before that. Every page is a call of its own, with the options of the first, retries
    included.
    """

    def __init__(
        self, client: AsyncAPIClient, operation: Operation[P, Any], arguments: Arguments, options: CallOptions
    ) -> None:
        self._client = client
        self._operation = operation
        self._arguments = arguments
        self._options = options

    def __await__(self) -> Generator[Any, None, P]:
        return self._first().__await__()

    async def pages(self) -> AsyncIterator[P]:
        """Page by page, the first one included."""
        async for page in (await self).pages():
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self:
            yield item

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.key}>"

    async def _first(self) -> P:
        return await self._client.call(self._operation, self._arguments, self._options)


class NextCall(NamedTuple):
    """What brings the next page."""

    arguments: Arguments
    options: CallOptions
    key: object
    """Equal for equal pages: the cursor, the link, the number or the offset."""


class Trail(NamedTuple):
    """The way to a page, as far as it takes to notice that it goes round in circles (R. P. Brent, 1980).

    However many pages the circle has, it is noticed before three times as many pages are read.
    """

    mark: object
    """The key of an earlier page: that of the first, then of the first after each power of two."""
    steps: int = 0
    """Pages since then."""
    power: int = 1

    def on(self, key: object) -> Trail:
        steps = self.steps + 1
        return Trail(key, 0, self.power * 2) if steps == self.power else Trail(self.mark, steps, self.power)


class PageOrigin(Origin):
    """What a page came from, and what brings the next one."""

    __slots__ = ("before", "key", "spec", "trail")

    def __init__(self, origin: Origin, spec: PageSpec) -> None:
        super().__init__(origin.client, origin.surroundings, origin.invocation, origin.answer)
        given = origin.invocation.arguments.get(spec.argument, OMIT)
        self.spec = spec
        self.key: object = spec.first if given is OMIT and spec.style in ("page", "offset") else given
        self.trail = Trail(self.key)
        self.before: int | None = None
        """Items on earlier pages, where that is known."""
        if spec.style == "offset" and isinstance(self.key, int):
            self.before = self.key
        elif self.key == spec.first:
            self.before = 0

    def items(self, page: object) -> list[Any]:
        from ._members import member  # imports pydantic

        return member(page, self.spec.items) or []

    def next_call(self, page: object) -> NextCall | None:
        """What brings the page after this one; None where it is the last.

        Raises `PaginationError` where that one was read already.
        """
        found = self._asked(page)
        if found is not None and found.key in (self.key, self.trail.mark):
            raise PaginationError(
                "the server points to a page that was read already, so that the list has no end",
                operation=self.invocation.operation.key,
            )
        return found

    def led_to(self, following: PageOrigin, found: NextCall, pages: tuple[object, object]) -> None:
        """Tell the page that `found` brought how far it is from the first; `pages` are this one and that one.

        Raises `PaginationError` where it is the same page again.
        """
        items, next_items = map(self.items, pages)
        if self.spec.style in ("page", "offset") and items and items == next_items:
            raise PaginationError(
                f"the server gives the same items whatever {self.spec.argument} says",
                operation=self.invocation.operation.key,
            )
        following.key = found.key
        following.trail = self.trail.on(found.key)
        following.before = None if self.before is None else self.before + len(items)

    def _asked(self, page: object) -> NextCall | None:
        from ._members import member

        spec, arguments, options = self.spec, self.invocation.arguments, self.invocation.options
        if spec.style == "link":
            link = (
                member(page, spec.cursor) if spec.cursor else _next_link(self.answer.headers.get("link", ""))
            )
            return self._linked(str(link)) if link else None
        if spec.style == "cursor":
            cursor = member(page, spec.cursor)
            if cursor is None or cursor == "":
                return None
            return NextCall({**arguments, spec.argument: cursor}, options, cursor)
        count = len(self.items(page))
        total = member(page, spec.total) if spec.total else None
        if not count or (total is not None and self.before is not None and self.before + count >= total):
            return None
        key = cast("int", self.key) + (count if spec.style == "offset" else 1)
        return NextCall({**arguments, spec.argument: key}, options, key)

    def _linked(self, link: str) -> NextCall:
        """The same operation with the query of a link; wherever it points, credentials go nowhere else."""
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(urlsplit(link).query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        arguments = dict(self.invocation.arguments)
        for parameter in self.invocation.operation.parameters:
            if parameter.location == "query":
                values = query.pop(parameter.name, [])
                arguments[parameter.argument] = values if len(values) > 1 else (*values, OMIT)[0]
        extra = {name: values[-1] for name, values in query.items()}
        options = cast("CallOptions", {**self.invocation.options, "extra_query": extra})
        return NextCall(arguments, options, link)


def _next_link(header: str) -> str:
    """The target of the link whose relation is `next` (RFC 8288).

    >>> _next_link('</a?p=1>; rel="prev", </a?p=3>; rel="next last"'), _next_link("")
    ('/a?p=3', '')
    """
    for target, parameters in _LINK.findall(header):
        relation = re.search(r";\s*rel\s*=\s*\"?([^\";]*)", parameters, re.IGNORECASE)
        if relation and "next" in relation[1].lower().split():
            return str(target)
    return ""
