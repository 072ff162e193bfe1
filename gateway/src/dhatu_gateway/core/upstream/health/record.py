"""What is known of the health of one endpoint."""

from __future__ import annotations


class Record:
    """This interval's counts, its ejections, and what the checks say."""

    __slots__ = (
        "checked",
        "ejected_until_s",
        "failed_in_a_row",
        "failures",
        "since_s",
        "successes",
        "times_ejected",
    )

    def __init__(self, now_s: float) -> None:
        self.successes = 0
        self.failures = 0
        self.failed_in_a_row = 0
        self.times_ejected = 0
        self.ejected_until_s: float | None = None
        """None while it is not ejected."""
        self.since_s = now_s
        """Since when it has been as it is, ejected or not."""
        self.checked = True
        """What the active checks say; True where there are none."""

    @property
    def is_well(self) -> bool:
        """Whether requests may go to it."""
        return self.checked and self.ejected_until_s is None

    @property
    def volume(self) -> int:
        """Attempts of this interval."""
        return self.successes + self.failures

    @property
    def success_rate(self) -> float:
        """Of this interval, from 0 to 1; there must have been an attempt."""
        return self.successes / self.volume

    def count(self, *, failed: bool) -> None:
        if failed:
            self.failures += 1
            self.failed_in_a_row += 1
        else:
            self.successes += 1
            self.failed_in_a_row = 0

    def forget_interval(self) -> None:
        self.successes = self.failures = 0

    def eject(self, until_s: float, now_s: float) -> None:
        self.ejected_until_s = until_s
        self.since_s = now_s
        self.failed_in_a_row = 0

    def restore(self, at_s: float) -> None:
        self.ejected_until_s = None
        self.since_s = at_s
        self.forget_interval()
