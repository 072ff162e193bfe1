"""The two drivers that carry a flow out: one blocks, one awaits; neither decides anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .._wire import Answer, AsyncTransport, Fetch, Race, Send, Transport, TransportFailed, out_of_time
from .life import Flow, Step


def run(flow: Flow, transport: Transport, sleep: Callable[[float], None]) -> Answer:
    """Carry out a flow, blocking."""
    try:
        step = next(flow)
        while True:
            try:
                result = _carry_out(step, transport, sleep)
            except Exception as error:  # for the flow to settle what is under way, and perhaps to try again
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration does not know the generator's type
    finally:
        flow.close()


def _carry_out(step: Step, transport: Transport, sleep: Callable[[float], None]) -> Any:
    if isinstance(step, Send):
        return transport.send(step)
    if isinstance(step, Fetch):
        return step.source.fetch(transport, step.time_left_s)
    if isinstance(step, Race):
        from .race import race  # threads are for those who hedge

        return race(step, transport)
    return sleep(step.delay_s)


async def run_async(
    flow: Flow, transport: AsyncTransport, sleep: Callable[[float], Awaitable[None]]
) -> Answer:
    """Carry out a flow, awaiting."""
    try:
        step = next(flow)
        while True:
            try:
                result = await _carry_out_async(step, transport, sleep)
            except Exception as error:  # for the flow to settle what is under way, and perhaps to try again
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration does not know the generator's type
    finally:
        flow.close()


async def _carry_out_async(
    step: Step, transport: AsyncTransport, sleep: Callable[[float], Awaitable[None]]
) -> Any:
    if isinstance(step, Send):
        return await transport.send(step)
    if isinstance(step, Fetch):
        return await _fetch(step, transport)
    if isinstance(step, Race):
        from .race import race_async

        return await race_async(step, transport)
    return await sleep(step.delay_s)


async def _fetch(step: Fetch, transport: AsyncTransport) -> Any:
    import anyio

    with anyio.move_on_after(step.time_left_s):
        return await step.source.afetch(transport)
    raise TransportFailed(out_of_time())
