"""Where a page or a job came from: what it needs in order to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ._client import ConfiguredClient
    from ._encoding.request import Invocation
    from ._settings import Surroundings
    from ._wire import Answer


class Origin:
    """The call that an answer came from; shared by its copies, and left behind where it is pickled."""

    __slots__ = ("answer", "client", "invocation", "surroundings")

    def __init__(
        self,
        client: ConfiguredClient,
        surroundings: Surroundings,
        invocation: Invocation,
        answer: Answer,
    ) -> None:
        self.client = client
        self.surroundings = surroundings
        self.invocation = invocation
        self.answer = answer

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _nowhere, ()  # connections do not travel


def _nowhere() -> None:
    """What an answer comes from that was pickled."""
