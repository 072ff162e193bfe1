"""The two clients that generated ones extend: settings, connections, and `call`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, Unpack, cast

from ._answers.decode import build_types, decode, find_response, parse_item
from ._auth.credentials import renewed_token
from ._auth.given import refuse_async
from ._call import AnswerHead, ApiSpec, Arguments, CallOptions, Operation
from ._closing import AsyncClosing, Closing
from ._encoding.request import Caller, Invocation, encode_request
from ._engine import Engine
from ._flow.drivers import run, run_async
from ._flow.life import call_flow
from ._flow.plan import Call
from ._lazy import off_loop
from ._modes import Mode, describes_stream, is_kept_open
from ._origin import Origin
from ._settings import (
    ChangeableOptions,
    ClientOptions,
    Settings,
    Surroundings,
    checked_retries,
    checked_timeout,
    resolve,
)
from ._transport.choice import async_transport, sync_transport
from ._wire import Answer, AnswerReader, AsyncAnswerReader

if TYPE_CHECKING:
    import httpx

    from ._answers.sse import EventPayloads, LinePayloads
    from ._answers.streamed import StreamHead
    from ._transport.choice import AsyncHttpClient, OwnAsyncTransport, OwnTransport

T = TypeVar("T")


class ConfiguredClient:
    """What both clients are made of, but for the sending.

    Names taken here and in the clients, which no operation that hangs on the client may have: `call`,
    `in_mode`, `with_options`, `aclose`, `close`, and in generated clients `with_raw_response` and
    `with_streaming_response`.
    """

    _api: ClassVar[ApiSpec]
    _surroundings: ClassVar[Surroundings] = Surroundings()
    _mode: Mode = "plain"

    def __init__(self, given: ClientOptions) -> None:
        self._settings: Settings = resolve(self._api, given, os.environ, self._surroundings)
        self._engine: Engine = Engine(self._settings, given, self._surroundings)
        self._warned: set[str] = set()
        self._ready: set[str] = set()

    def with_options(self, **changes: Unpack[ChangeableOptions]) -> Self:
        """A client with other settings, which shares this one's connections and is closed with it."""
        settings = self._settings.changed(changes)
        other = type(self).__new__(type(self))
        # Resources are cached on the instance and hold it, so that they must not come along.
        other.__dict__.update({name: value for name, value in vars(self).items() if name.startswith("_")})
        other._settings = settings
        return other

    def in_mode(self, mode: Mode) -> Self:
        """A client whose `call` returns the answer in another form; shares this one's connections."""
        other = self.with_options()
        other._mode = mode
        return other

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.shown()})"

    def _prepare(self, invocation: Invocation) -> Call:
        operation, options = invocation.operation, invocation.options
        settings = self._settings
        if operation.deprecated:
            self._warn_once(operation.key, operation.deprecated)
        caller = Caller(api=self._api, credentials=settings.credentials)
        timeout_s = checked_timeout(options.get("timeout_s", settings.timeout_s), "timeout_s")
        attempt_s = options.get("attempt_timeout_s", settings.attempt_timeout_s)
        retry = settings.retry
        if "max_retries" in options:
            retry = replace(retry, max_retries=checked_retries(options["max_retries"]))
        request = encode_request(caller, invocation, self._surroundings.new_token)
        if timeout_s is None:
            timeout_s = operation.timeout_s
        idle_s = checked_timeout(options.get("event_idle_s"), "event_idle_s")
        return Call(
            operation=operation,
            request=replace(request, open_ended=True) if self._mode == "streaming" else request,
            endpoints=self._engine.endpoints_at(settings.address_of(operation)),
            timeout_s=timeout_s,
            attempt_timeout_s=checked_timeout(attempt_s, "attempt_timeout_s"),
            connect_timeout_s=settings.connect_timeout_s,
            retry=retry,
            strict=options.get("strict", settings.strict),
            header_prefix=self._api.header_prefix.lower(),
            keep_open=partial(is_kept_open, self._mode, operation),
            tokens=renewed_token(self._api, settings.credentials, operation, options),
            idle_s=timeout_s if idle_s is None else idle_s,
            resume=options.get("resume", True),
        )

    def _tell(self, invocation: Invocation, answer: Answer) -> None:
        """Show the head of an answer to whom it may concern."""
        on_answer = invocation.options.get("on_answer")
        if on_answer is not None:
            on_answer(AnswerHead(status=answer.status, headers=answer.headers, attempts=answer.attempts))
        if "deprecation" in answer.headers or "sunset" in answer.headers:
            from ._answers.deprecation import deprecation_notice

            key, known = invocation.operation.key, invocation.operation.deprecated
            notice = deprecation_notice(key, answer.headers, self._surroundings.wall_s(), known)
            if notice:
                self._warn_once(f"{key}, as the server says", notice)

    def _warn_once(self, about: str, message: str) -> None:
        if about in self._warned:
            return
        self._warned.add(about)
        # This, who calls it, `call` and the generated method lie between here and the caller, and where the
        # answer is opened as a context also what opens it, and contextlib.
        level = 7 if self._mode == "streaming" else 5
        warnings.warn(message, DeprecationWarning, stacklevel=level)

    def _head(
        self, call: Call, answer: Answer, again: Callable[[Call], Any], sleep: Callable[[float], Any]
    ) -> StreamHead:
        from ._answers.streamed import StreamHead, resumption_of  # many programs have no such answers

        return StreamHead(
            answer=answer,
            operation=call.operation.key,
            distribution=self._api.distribution,
            idle_s=call.idle_s,
            now_s=self._surroundings.now_s,
            resumption=resumption_of(call, self._engine.policies, again, sleep),
        )

    def _bound(self, invocation: Invocation, answer: Answer, value: object, twin: str) -> object:
        """The value, as what can go on where it is a page or a job."""
        if invocation.operation.page is None and invocation.operation.job is None:
            return value
        from ._bound import bind  # imports pydantic, as decoding such a value has

        return bind(self._api.bound, twin, Origin(self, self._surroundings, invocation, answer), value)


class AsyncAPIClient(ConfiguredClient, AsyncClosing):
    """The async client of an API; a generated class sets `_api` and adds the operations.

    Calls that may be repeated are, twice by default, within a budget that all calls share. After ten failures
    in a row, or where half of the calls fail, calls are refused at once for five seconds; then three at a
    time are let through until three succeed. `Resilience` holds all of that.
    """

    def __init__(
        self, *, http_client: AsyncHttpClient | None = None, **options: Unpack[ClientOptions]
    ) -> None:
        """`http_client` is used as it is, and not closed by `aclose`: give one for a proxy, HTTP/2 or a
        client certificate. `"aiohttp"` makes many calls at once several times as fast, where the extra of
        that name is installed. Raises `ConfigurationError`.
        """
        super().__init__(options)
        self._transport: OwnAsyncTransport = async_transport(http_client, self._api)

    async def call(
        self,
        operation: Operation[T, Any],
        arguments: Arguments,
        options: CallOptions,
        *,
        stream: bool = False,
    ) -> T:
        """Carry out one operation.

        What comes back follows the answer: a model for JSON, str for text, None for an empty one,
        `BinaryResponse` for bytes, `EventStream` for server-sent events and JSON Lines. `stream` asks for
        events where an operation offers JSON as well. Raises `DhatuError`.
        """
        if operation.key not in self._ready:
            await self._make_ready(operation)
        invocation = Invocation(operation=operation, arguments=arguments, options=options, stream=stream)
        call = self._prepare(invocation)
        answer = await self._carried_out(call)
        self._tell(invocation, answer)
        return cast("T", self._as_asked(call, invocation, answer))

    async def _make_ready(self, operation: Operation[Any, Any]) -> None:
        """Import and build what an operation needs when it is called first, while the loop goes on."""

        def build() -> None:
            self._transport.prepare()
            build_types(self._api, operation)

        await off_loop(build)
        self._ready.add(operation.key)

    async def _carried_out(self, call: Call) -> Answer:
        flow = call_flow(call, self._engine.policies)
        return await run_async(flow, self._transport, self._surroundings.asleep)

    def _as_asked(self, call: Call, invocation: Invocation, answer: Answer) -> object:
        """The answer in the form of this client's mode."""
        if self._mode == "plain":
            return self._understood(call, invocation, answer)
        from ._answers.raw import AsyncArrived, RawResponse, StreamingResponse

        understand = partial(self.in_mode("plain")._understood, call, invocation)
        head = self._head(call, answer, self._carried_out, self._surroundings.asleep)
        if self._mode == "raw":
            if answer.reader is None and describes_stream(call.operation, answer):
                answer = replace(answer, reader=AsyncArrived(answer.content))
            return RawResponse[Any](head, partial(understand, answer))
        return StreamingResponse[Any](head, call.operation, understand)

    def _understood(self, call: Call, invocation: Invocation, answer: Answer) -> object:
        """The answer as the operation describes it."""
        if answer.reader is None:
            value = decode(self._api, call.operation, answer, strict=call.strict)
            return self._bound(invocation, answer, value, "")
        reader = cast("AsyncAnswerReader", answer.reader)
        head = self._head(call, answer, self._carried_out, self._surroundings.asleep)
        payloads, parse = _opened(self._api, call, answer)
        if payloads is None:
            from ._answers.binary import BinaryResponse

            return BinaryResponse(head, reader)
        from ._answers.streams import EventStream

        return EventStream(head, reader, payloads, parse)

    async def aclose(self) -> None:
        """Close the connections, unless they belong to an `http_client` that was passed."""
        await self._transport.aclose()


class SyncAPIClient(ConfiguredClient, Closing):
    """The twin of `AsyncAPIClient` for code without an event loop; threads may share it.

    Time limits are checked whenever something arrives, so that a call may overrun its own by one wait.
    """

    def __init__(self, *, http_client: httpx.Client | None = None, **options: Unpack[ClientOptions]) -> None:
        """As `AsyncAPIClient`."""
        refuse_async(options)
        super().__init__(options)
        self._transport: OwnTransport = sync_transport(http_client)

    def call(
        self,
        operation: Operation[Any, T],
        arguments: Arguments,
        options: CallOptions,
        *,
        stream: bool = False,
    ) -> T:
        """As `AsyncAPIClient.call`, with `SyncBinaryResponse` and `SyncEventStream`."""
        invocation = Invocation(operation=operation, arguments=arguments, options=options, stream=stream)
        call = self._prepare(invocation)
        answer = self._carried_out(call)
        self._tell(invocation, answer)
        return cast("T", self._as_asked(call, invocation, answer))

    def _carried_out(self, call: Call) -> Answer:
        flow = call_flow(call, self._engine.policies)
        return run(flow, self._transport, self._surroundings.sleep)

    def _as_asked(self, call: Call, invocation: Invocation, answer: Answer) -> object:
        """The answer in the form of this client's mode."""
        if self._mode == "plain":
            return self._understood(call, invocation, answer)
        from ._answers.raw import Arrived, RawResponse, SyncStreamingResponse

        understand = partial(self.in_mode("plain")._understood, call, invocation)
        head = self._head(call, answer, self._carried_out, self._surroundings.sleep)
        if self._mode == "raw":
            if answer.reader is None and describes_stream(call.operation, answer):
                answer = replace(answer, reader=Arrived(answer.content))
            return RawResponse[Any](head, partial(understand, answer))
        return SyncStreamingResponse[Any](head, call.operation, understand)

    def _understood(self, call: Call, invocation: Invocation, answer: Answer) -> object:
        """The answer as the operation describes it."""
        if answer.reader is None:
            value = decode(self._api, call.operation, answer, strict=call.strict)
            return self._bound(invocation, answer, value, "Sync")
        reader = cast("AnswerReader", answer.reader)
        head = self._head(call, answer, self._carried_out, self._surroundings.sleep)
        payloads, parse = _opened(self._api, call, answer)
        if payloads is None:
            from ._answers.binary import SyncBinaryResponse

            return SyncBinaryResponse(head, reader)
        from ._answers.streams import SyncEventStream

        return SyncEventStream(head, reader, payloads, parse)

    def close(self) -> None:
        """Close the connections, unless they belong to an `http_client` that was passed."""
        self._transport.close()


def _opened(
    api: ApiSpec, call: Call, answer: Answer
) -> tuple[EventPayloads | LinePayloads | None, partial[Any]]:
    """What a streamed answer is read with: no payloads where it is plain bytes."""
    operation = call.operation
    spec = find_response(operation, answer.status, answer.headers.get("content-type", ""))
    assert spec is not None, "only answers that the operation describes are kept open"
    parse = partial(parse_item, api, operation, answer, spec, strict=call.strict)
    if spec.kind == "binary":
        return None, parse
    from ._answers.sse import EventPayloads, LinePayloads

    return EventPayloads(text=spec.type == "str") if spec.kind == "sse" else LinePayloads(), parse
