"""Lists that come page by page, as the JSON that they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._call import AnswerHead, Arguments, CallOptions, Operation
from .._encoding.request import Invocation
from .._settings import Surroundings
from .._wire import Answer

if TYPE_CHECKING:
    from .._client import SyncAPIClient


def pages(
    client: SyncAPIClient, operation: Operation[Any, Any], arguments: Arguments, options: CallOptions
) -> Iterator[list[Any]]:
    """The items of each page; the next one is asked for when it is wanted. Raises `DhatuError`."""
    from .._origin import Origin
    from .._pages import NextCall, PageOrigin

    assert operation.page is not None, "asked of operations that answer in pages alone"
    plain = replace(operation, page=None)  # what is answered is not made into a page
    last: tuple[PageOrigin, object] | None = None
    found: NextCall | None = NextCall(arguments, options, None)
    while found is not None:
        heads: list[AnswerHead] = []
        asking = found.options.copy()
        asking["on_answer"] = heads.append
        page: object = client.call(plain, found.arguments, asking)
        answer = Answer(status=heads[0].status, headers=heads[0].headers)
        invocation = Invocation(operation=plain, arguments=found.arguments, options=found.options)
        origin = PageOrigin(Origin(client, Surroundings(), invocation, answer), operation.page)
        if last is not None:
            last[0].led_to(origin, found, (last[1], page))
        yield origin.items(page)
        last, found = (origin, page), origin.next_call(page)
