"""What a limit says about one call."""

from __future__ import annotations

from typing import NamedTuple


class Decision(NamedTuple):
    """How long a call has to wait, and all that the headers of its answer say.

    A tuple and not a dataclass: one is made for every call, in a third of the time.
    """

    wait_us: int
    """Microseconds until this call would be allowed; 0 where it is."""
    remaining: int
    """Calls that could be made at this moment."""
    reset_us: int
    """Microseconds until as many calls as ever are available again."""


def whole_seconds(us: int) -> int:
    """Microseconds as seconds, rounded up.

    >>> whole_seconds(0), whole_seconds(1), whole_seconds(1_000_000)
    (0, 1, 1)
    """
    return -(-us // 1_000_000)
