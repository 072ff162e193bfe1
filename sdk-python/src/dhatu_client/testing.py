"""Answers without a network, for tests of code that calls the API.

    def test_a_refrain_is_found() -> None:
        with fake_api() as api:
            api.corpus.search.returns({"total": 0, "documents": [], "next_cursor": None})
            assert my_program.find("gacchati") == []
            assert api.corpus.search.call.arguments == {"q": "gacchati"}

Clients need not be told: inside the block no request of any httpx client leaves the process. What an
operation is made to answer has to be what the API's description says, and an operation that nothing was said
of fails the test. Waits between attempts are over at once. Needs the extra `testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any, Self
from unittest.mock import patch

from ._call import OMIT, Operation
from ._client import ConfiguredClient
from ._testing.answers import CannedAnswerError, FailureName, Reply, canned, failure
from ._testing.catalogue import Catalogue
from ._testing.server import FakeCall, FakeServer, Script
from ._wire import Answer, Outcome, Send

__all__ = ["CannedAnswerError", "FailureName", "FakeAPI", "FakeCall", "FakeOperation", "fake_api"]


class FakeOperation:
    """One operation of a fake API: what it is to answer, and what it was asked.

    Answers are given in the order in which they were added, and the last one from then on:
    `api.corpus.stats.refuses(503).returns({...})` fails once.
    """

    def __init__(self, server: FakeServer, script: Script) -> None:
        self._server = server
        self._script = script

    @property
    def calls(self) -> list[FakeCall]:
        """Every request, the first one first."""
        return self._script.calls

    @property
    def call(self) -> FakeCall:
        """The only request. Raises `AssertionError` where there were more, or none."""
        if len(self.calls) != 1:
            raise AssertionError(f"{self._script.known.path} was called {len(self.calls)} times, not once")
        return self.calls[0]

    def returns(
        self,
        value: object = OMIT,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        media_type: str = "",
        stream: Iterable[object] | None = None,
        strict: bool = True,
    ) -> Self:
        """Answer with a model, plain JSON, text or bytes; with `stream`, item by item.

        The status and the media type are the operation's own unless they are given. An exception among the
        items of a stream breaks it off. Raises `CannedAnswerError` for what the operation never answers;
        `strict=False` lets values and kinds through that only a newer server would know.
        """
        reply = Reply(
            value=value,
            status=status,
            headers=headers or {},
            media_type=media_type,
            stream=stream,
            strict=strict,
        )
        self._script.steps.append(canned(self._server.api, self._script.known.operation, reply))
        return self

    def refuses(
        self,
        status: int,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        **members: object,
    ) -> Self:
        """Answer with an error status and a problem (RFC 9457); `members` are further members of it."""
        if status < 400:
            raise CannedAnswerError(f"{status} refuses nothing; use returns(status={status})")
        waiting = {} if retry_after_s is None else {"retry-after": f"{retry_after_s:g}"}
        problem = {**({"detail": detail} if detail else {}), **members}
        return self.returns(problem, status=status, headers={**waiting, **(headers or {})})

    def fails(self, how: FailureName | Exception) -> Self:
        """Give no answer: `connect` and `connect_timeout` before anything is sent, `timeout` when all of the
        time has passed, `lost` in the middle; or raise any exception."""
        self._script.steps.append(failure(how))
        return self

    def answers(self, function: Callable[[FakeCall], object]) -> Self:
        """Answer with what `function` makes of the call, as `returns` would."""
        self._script.steps.append(function)
        return self

    def reset(self) -> None:
        """Forget all answers and all calls."""
        self._script.steps.clear()
        self._script.calls.clear()

    def __repr__(self) -> str:
        return f"<FakeOperation {self._script.known.path}, {len(self.calls)} calls>"


class FakeAPI:
    """All operations of the API, as attributes: `api.corpus.search`; `on` finds them as well."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def on(self, operation: str | Operation[Any, Any] | Callable[..., object]) -> FakeOperation:
        """One operation: by its method (`api.on(client.corpus.search)`), by its name, or by its descriptor.

        Raises `LookupError`.
        """
        return FakeOperation(self._server, self._server.script(self._server.catalogue.find(operation)))

    @property
    def calls(self) -> list[FakeCall]:
        """Every request to any operation, the first one first."""
        return self._server.calls

    @property
    def waits_s(self) -> list[float]:
        """How long clients would have waited between attempts, in seconds."""
        return self._server.clock.waits_s

    def __getattr__(self, name: str) -> Any:
        if name in self._server.catalogue.groups:
            return _FakeGroup(self, name)
        return _attribute(self, name)


class _FakeGroup:
    """One resource: its operations are its attributes."""

    def __init__(self, api: FakeAPI, name: str) -> None:
        self._api = api
        self._name = name

    def __getattr__(self, name: str) -> FakeOperation:
        return _attribute(self._api, f"{self._name}.{name}")


def _attribute(api: FakeAPI, path: str) -> FakeOperation:
    try:
        return api.on(path)
    except LookupError as error:
        raise AttributeError(str(error)) from None


@contextmanager
def fake_api(*, real_time: bool = False) -> Generator[FakeAPI]:
    """Stand in for the API while the block runs, for sync and async clients alike.

    With `real_time` waits take their time. Requests are caught where httpx would open a connection, and those
    over aiohttp go there as well. An `http_client` whose transport opens none of its own is left alone.
    """
    server = _server()
    try:
        import respx
    except ImportError as error:
        extra = f"{server.api.distribution}[testing]"
        raise ImportError(f"{__name__} needs respx: pip install '{extra}'") from error
    router = respx.MockRouter(assert_all_called=False)
    router.route().mock(side_effect=server.answer)
    with ExitStack() as stack:
        stack.enter_context(router)
        if not real_time:
            name = "_surroundings"
            real = getattr(ConfiguredClient, name)
            stack.enter_context(patch.object(ConfiguredClient, name, server.clock.surroundings(real)))
        if find_spec("aiohttp") is not None:
            stack.enter_context(_aiohttp_over_httpx())
        yield FakeAPI(server)


def _aiohttp_over_httpx() -> AbstractContextManager[object]:
    """Let clients that would use aiohttp send by httpx, which is caught."""
    from ._transport.over_aiohttp import AiohttpTransport
    from ._transport.over_httpx import AsyncHttpxTransport

    async def send(transport: AiohttpTransport, step: Send) -> Outcome:
        over = AsyncHttpxTransport()
        outcome = await over.send(step)
        if not (isinstance(outcome, Answer) and outcome.reader):
            await over.aclose()
        return outcome

    return patch.object(AiohttpTransport, "send", send)


def _server() -> FakeServer:
    from .generated import client, operations
    from .generated.commands import PROGRAM

    return FakeServer(getattr(client, PROGRAM.client)._api, Catalogue(PROGRAM, operations))
