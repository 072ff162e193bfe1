"""Consul's blocking queries, as the chapter of that name in the documentation of its API wants them asked."""

from __future__ import annotations

from typing import Final

from dhatu_gateway.core.discovery.http import JsonAnswer, JsonClient, Query
from dhatu_gateway.core.discovery.source import DiscoveryError

WAIT_S: Final = 60.0
_ANSWER_S: Final = 10.0
"""What Consul has for the answer itself, beyond the time that it waits for a change."""
_MAX_INDEX_DIGITS: Final = 20


class BlockingQuery:
    """Asks for the same thing again and again: at once the first time, then when it may have changed.

    An answer is no promise of a change. Consul adds up to a sixteenth of the wait by chance.
    """

    def __init__(self, client: JsonClient, path: str, query: Query, *, wait_s: float = WAIT_S) -> None:
        self._client = client
        self._path = path
        self._query = {**query, "wait": f"{wait_s:g}s"}
        self._wait_s = wait_s
        self._index = 0

    def begin_anew(self) -> None:
        """Let the next question be answered at once."""
        self._index = 0

    async def ask(self, *, may_be_missing: bool = False) -> JsonAnswer:
        """Raises `DiscoveryError` for anything but a 200, or a 404 where that may be."""
        index, self._index = self._index, 0  # whatever goes wrong: begin anew
        query = {**self._query, "index": str(index)} if index else {**self._query}
        timeout_s = _ANSWER_S + (self._wait_s * 17 / 16 if index else 0)
        answer = await self._client.ask(self._path, query, timeout_s=timeout_s)
        if answer.status != 200 and not (may_be_missing and answer.status == 404):
            raise DiscoveryError(f"{self._client.name} answered {answer.status}: {answer.document}")
        self._index = next_index(index, answer.headers.get("x-consul-index", ""))
        return answer


def next_index(asked: int, header: str) -> int:
    """The index to ask with next; 0 for none, where it went backwards (a restored or rebuilt server).

    >>> next_index(0, "7"), next_index(7, "9"), next_index(9, "3"), next_index(3, "0")
    (7, 9, 0, 1)

    Raises `DiscoveryError` where it is no number. An index of 0 would not wait, so it counts as 1.
    """
    if not header.isascii() or not header.isdigit() or len(header) > _MAX_INDEX_DIGITS:
        raise DiscoveryError(f"Consul's answer has no index that can be used: {header[:40]!r}")
    index = max(1, int(header))
    return 0 if index < asked and int(header) > 0 else index
