"""Plays a case to a client, and records what comes of it."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx

from .clock import VirtualLoop, VirtualTime
from .given import Call, Given, arguments_of, options_of, surroundings_of
from .record import Outcome, Record, outcome_of, raw_outcome, refusal, value_of
from .server import AsyncServer, Server, SyncServer


def play(package: ModuleType, given: Given, folder: Path) -> Record:
    """A case, to the client that blocks; `folder` is for files that calls are given."""
    time = VirtualTime()
    server = Server(script=given["server"], now_s=time.now_s)
    record = Record(arrivals=server.arrivals)

    def sleep(delay_s: float) -> None:
        record.sleeps.append(delay_s)
        time.sleep(delay_s)

    surroundings = surroundings_of(package, given, time.now_s, sleep=sleep)
    # The blocking transport looks at the clock between the pieces of an answer.
    importlib.import_module(f"{package.__name__}._transport.over_httpx").__dict__["time"] = SimpleNamespace(
        monotonic=time.now_s
    )
    kind = type("SyncLibraryAPI", (package.SyncLibraryAPI,), {"_surroundings": surroundings})
    with _warned(record), httpx.Client(transport=SyncServer(server, time.sleep), trust_env=False) as http:
        try:
            options = options_of(package, given, awaits=False)
            client = kind(http_client=http, on_event=record.listen, **options)
        except package.ConfigurationError as error:
            record.outcomes.append(refusal(package, error))
            return record
        for call in _calls(given):
            time.sleep(call.get("after_s", 0))
            record.outcomes.append(_outcome(package, client, call, folder))
        client.close()
    return record


def _outcome(package: ModuleType, client: Any, call: Call, folder: Path) -> Outcome:
    items: list[Any] = []
    try:
        value = _method(client, call)(**arguments_of(call, folder), **call.get("options", {}))
        if "wait" in call:
            value = value.wait(**call["wait"])
        if isinstance(value, package.SyncBinaryResponse):
            with value:
                if "save" not in call:
                    return outcome_of(value.read())
                value.save(folder / "saved", **call["save"])
                return outcome_of((folder / "saved").read_bytes())
        if not _is_series(call, value, package.SyncEventStream):
            return raw_outcome(value) if call.get("raw") else outcome_of(value)
        with value if hasattr(value, "close") else nullcontext():
            series = value.pages() if call.get("through") == "pages" else value
            for item in itertools.islice(series, call.get("take")):
                items.append(value_of(item))  # noqa: PERF401  # those before an error count
        return {"items": items}
    except Exception as error:
        return ({"items": items} if items else {}) | refusal(package, error)


def play_async(package: ModuleType, given: Given, folder: Path) -> Record:
    """A case, to the client that awaits."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play_async(package, given, folder))


async def _play_async(package: ModuleType, given: Given, folder: Path) -> Record:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.watch_threads()
    now_s = loop.time
    server = Server(script=given["server"], now_s=now_s)
    record = Record(arrivals=server.arrivals)

    async def asleep(delay_s: float) -> None:
        record.sleeps.append(delay_s)
        await asyncio.sleep(delay_s)

    surroundings = surroundings_of(package, given, now_s, asleep=asleep)
    kind = type("LibraryAPI", (package.LibraryAPI,), {"_surroundings": surroundings})
    with _warned(record):
        async with httpx.AsyncClient(transport=AsyncServer(server, asyncio.sleep), trust_env=False) as http:
            try:
                options = options_of(package, given, awaits=True)
                client = kind(http_client=http, on_event=record.listen, **options)
            except package.ConfigurationError as error:
                record.outcomes.append(refusal(package, error))
                return record
            for together in _groups(_calls(given)):
                tasks = [asyncio.create_task(_aoutcome(package, client, call, folder)) for call in together]
                record.outcomes += await asyncio.gather(*tasks)
            await client.aclose()
    return record


async def _aoutcome(package: ModuleType, client: Any, call: Call, folder: Path) -> Outcome:
    items: list[Any] = []
    await asyncio.sleep(call.get("after_s", 0))
    try:
        async with asyncio.timeout(call.get("cancel_after_s")):
            value = _method(client, call)(**arguments_of(call, folder), **call.get("options", {}))
            value = value if "through" in call else await value
            if "wait" in call:
                value = await value.wait(**call["wait"])
            if isinstance(value, package.BinaryResponse):
                async with value:
                    if "save" not in call:
                        return outcome_of(await value.read())
                    await value.save(folder / "saved", **call["save"])
                    return outcome_of((folder / "saved").read_bytes())
            if not _is_series(call, value, package.EventStream):
                return raw_outcome(value) if call.get("raw") else outcome_of(value)
            async with value if hasattr(value, "aclose") else nullcontext():
                series = aiter(value.pages() if call.get("through") == "pages" else value)
                while "take" not in call or len(items) < call["take"]:
                    items.append(value_of(await anext(series)))
            return {"items": items}
    except StopAsyncIteration:
        return {"items": items}
    except Exception as error:
        if type(error) is TimeoutError:
            return {"cancelled": True}
        return ({"items": items} if items else {}) | refusal(package, error)


def _is_series(call: Call, value: object, stream: type[object]) -> bool:
    """Whether the call gives one item after the other."""
    return "through" in call or isinstance(value, stream)


def _calls(given: Given) -> Iterator[Call]:
    for call in given["calls"]:
        for _ in range(call.get("repeat", 1)):
            yield call


def _groups(calls: Iterator[Call]) -> Iterator[Sequence[Call]]:
    """Those that go together, in a row; each of the others alone."""
    for together, group in itertools.groupby(calls, key=lambda call: call.get("concurrent", False)):
        if together:
            yield list(group)
        else:
            yield from ([call] for call in group)


def _method(client: Any, call: Call) -> Callable[..., Any]:
    resource, _, name = call["operation"].rpartition(".")
    found = getattr(client, resource)
    method: Callable[..., Any] = getattr(found.with_raw_response if call.get("raw") else found, name)
    return method


@contextmanager
def _warned(record: Record) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    record.warnings += [str(warning.message) for warning in caught]
