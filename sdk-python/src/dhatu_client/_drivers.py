"""The two drivers that carry a flow out: one blocks, one awaits; neither decides anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from ._flow import Flow
from ._wire import Answer, Outcome, Send


class Transport(Protocol):
    """Sends one request and says how that ended; raises only what the caller's own body raised."""

    def send(self, step: Send) -> Outcome: ...


class AsyncTransport(Protocol):
    """The same, awaited."""

    async def send(self, step: Send) -> Outcome: ...


def run(flow: Flow, transport: Transport, sleep: Callable[[float], None]) -> Answer:
    """Carry out a flow, blocking."""
    outcome: Outcome | None = None
    try:
        while True:
            step = flow.send(outcome)
            outcome = None
            if isinstance(step, Send):
                outcome = transport.send(step)
            else:
                sleep(step.delay_s)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration does not know the generator's type
    finally:
        flow.close()


async def run_async(
    flow: Flow, transport: AsyncTransport, sleep: Callable[[float], Awaitable[None]]
) -> Answer:
    """Carry out a flow, awaiting."""
    outcome: Outcome | None = None
    try:
        while True:
            step = flow.send(outcome)
            outcome = None
            if isinstance(step, Send):
                outcome = await transport.send(step)
            else:
                await sleep(step.delay_s)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration does not know the generator's type
    finally:
        flow.close()
