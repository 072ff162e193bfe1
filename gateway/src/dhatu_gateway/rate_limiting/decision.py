"""What a limit says about one call."""

from __future__ import annotations

from typing import NamedTuple


class Decision(NamedTuple):
    """Whether a call may go on, and all that the headers of its answer say.

    A tuple and not a dataclass: one is made for every call, in a third of the time.
    """

    allowed: bool
    remaining: int
    """Calls that could be made at this moment."""
    reset_s: int
    """Seconds until the whole burst is available again, rounded up."""
    retry_after_s: int
    """Seconds until this call would be allowed, rounded up; 0 where it is."""
