"""All workers serve the same: they change to something else together, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from dhatu_gateway.processes.channel import ChannelClosedError

D = TypeVar("D")


class Answer(Protocol):
    """What a worker says about something that it shall serve."""

    @property
    def problems(self) -> Sequence[str]: ...

    @property
    def digest(self) -> str: ...


class Member(Protocol):
    """A worker, as far as it is asked here."""

    async def call(self, name: str, argument: Any = None) -> Any: ...

    async def tell(self, name: str, argument: Any = None) -> None: ...


class Agreement(Generic[D]):
    """On what is served; each change has a number, so that who starts meanwhile can catch up."""

    def __init__(self, deployment: D) -> None:
        self.current: tuple[int, D] = (0, deployment)
        self._members: set[Member] = set()
        self._turn = asyncio.Lock()

    async def join(self, member: Member, number: int) -> tuple[int, D] | None:
        """Let a worker that serves change `number` take part; one that is late is told what is new."""
        async with self._turn:
            if number != self.current[0]:
                return self.current
            self._members.add(member)
            return None

    def leave(self, member: Member) -> None:
        """Forget a worker that has ended."""
        self._members.discard(member)

    async def change(self, deployment: D) -> Answer | None:
        """Let all serve something else from their next request on, where all can.

        Answers what one of them says, that which cannot first; None where there is nobody.
        """
        async with self._turn:
            members = tuple(self._members)
            asked = await asyncio.gather(*(_prepare(member, deployment) for member in members))
            # One that has died meanwhile has no say: who takes its place asks what is served then.
            answers = [answer for answer in asked if answer is not None]
            refusal = next((answer for answer in answers if answer.problems), None)
            if refusal is None and answers:
                self.current = (self.current[0] + 1, deployment)
            done = "commit" if refusal is None else "abandon"
            await asyncio.gather(*(member.tell(done) for member in members))
            return refusal or next(iter(answers), None)


async def _prepare(member: Member, deployment: object) -> Answer | None:
    try:
        answer: Answer = await member.call("prepare", deployment)
    except ChannelClosedError:
        return None
    return answer
