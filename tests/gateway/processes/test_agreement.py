"""All workers change together, or none does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dhatu_gateway.processes.agreement import Agreement
from dhatu_gateway.processes.channel import ChannelClosedError


@dataclass(frozen=True)
class Answer:
    problems: Sequence[str] = ()
    digest: str = "new"


@dataclass(eq=False)
class Member:
    """A worker that answers as it is told."""

    answer: Answer = field(default_factory=Answer)
    dead: bool = False
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def call(self, name: str, argument: Any = None) -> Any:
        if self.dead:
            raise ChannelClosedError(name)
        self.asked.append((name, argument))
        return self.answer

    async def tell(self, name: str, argument: Any = None) -> None:
        if not self.dead:
            await self.call(name, argument)


async def joined(*members: Member) -> Agreement[str]:
    agreement = Agreement("old")
    for member in members:
        assert await agreement.join(member, 0) is None
    return agreement


async def test_all_change_where_all_can() -> None:
    members = [Member(), Member()]
    agreement = await joined(*members)
    assert await agreement.change("new") == Answer()
    assert agreement.current == (1, "new")
    assert [member.asked for member in members] == 2 * [[("prepare", "new"), ("commit", None)]]


async def test_nobody_changes_where_one_cannot() -> None:
    refusal = Answer(problems=("no",))
    members = [Member(), Member(refusal)]
    agreement = await joined(*members)
    assert await agreement.change("new") == refusal
    assert agreement.current == (0, "old")
    assert [member.asked[-1] for member in members] == 2 * [("abandon", None)]


async def test_one_that_has_died_has_no_say() -> None:
    alive = Member()
    agreement = await joined(Member(dead=True), alive)
    assert await agreement.change("new") == Answer()
    assert alive.asked[-1] == ("commit", None)


async def test_one_that_has_left_is_not_asked() -> None:
    gone, alive = Member(), Member()
    agreement = await joined(gone, alive)
    agreement.leave(gone)
    await agreement.change("new")
    assert gone.asked == []


async def test_with_nobody_there_nothing_changes() -> None:
    agreement = await joined(Member(dead=True))
    assert await agreement.change("new") is None
    assert agreement.current == (0, "old")


async def test_one_that_started_with_what_has_changed_since_is_told() -> None:
    agreement = await joined(Member())
    await agreement.change("new")
    late = Member()
    assert await agreement.join(late, 0) == (1, "new")
    await agreement.change("newer")
    assert late.asked == []
    assert await agreement.join(late, 1) == (2, "newer")
    assert await agreement.join(late, 2) is None
    await agreement.change("newest")
    assert late.asked[0] == ("prepare", "newest")
