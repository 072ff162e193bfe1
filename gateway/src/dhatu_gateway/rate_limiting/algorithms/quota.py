"""So many calls in a day or a month of the calendar, in UTC."""

from __future__ import annotations

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.interface import MAX_EXACT, State, refuse
from dhatu_gateway.rate_limiting.decision import Decision

DAY_US = 86_400_000_000


class Quota:
    """At most `limit` calls between two midnights of UTC, or between the first of a month and the next.

    A trailing window of that length may hold twice as many, half on either side of midnight; another limit
    beside it is what keeps calls apart. The state is the number of the period and the calls in it.
    """

    __slots__ = ("limit", "monthly")

    name = "quota"
    fresh: State = (0, 0)

    def __init__(self, monthly: bool, limit: int) -> None:
        self.monthly = monthly
        self.limit = limit

    @classmethod
    def of(cls, limit: RateLimit) -> Quota:
        if limit.per not in ("day", "month") or limit.limit < 1 or not 0 < limit.cost <= limit.limit:
            raise refuse(limit, "it is per day or per month, all positive, and the cost at most the limit")
        if limit.limit + limit.cost >= MAX_EXACT:
            raise refuse(limit, "the limit must be below 9e15")
        return cls(limit.per == "month", limit.limit)

    @property
    def figures(self) -> tuple[int, int, int]:
        return int(self.monthly), self.limit, 0

    @property
    def largest(self) -> int:
        return self.limit

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        period, calls, left_us = self._counted(state, now_us)
        wait_us = 0
        if calls + cost <= self.limit:
            calls += cost
        else:
            wait_us = left_us
        return (period, calls), Decision(wait_us, self.limit - calls, left_us if calls else 0)

    def charge(self, state: State, now_us: int, cost: int) -> State:
        period, calls, _ = self._counted(state, now_us)
        return period, min(self.limit, calls + cost)

    def is_fresh(self, state: State, now_us: int) -> bool:
        return self._counted(state, now_us)[1] == 0

    def _counted(self, state: State, now_us: int) -> tuple[int, int, int]:
        """The number of the period, the calls in it, and the microseconds that are left of it."""
        period, calls = state
        day = now_us // DAY_US
        current, end_day = month_of(day) if self.monthly else (day, day + 1)
        if current > period:
            period, calls = current, 0
        return period, calls, end_day * DAY_US - now_us


def month_of(day: int) -> tuple[int, int]:
    """The number of the month in which a day since 1970 lies, and the first day of the month after it.

    Years begin in March, so that the odd day of leap years is their last (Hinnant, civil_from_days).

    >>> month_of(0), month_of(30), month_of(31)
    ((23640, 31), (23640, 31), (23641, 59))
    """
    shifted = day + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153  # 0 is March
    number = (era * 400 + year_of_era) * 12 + month + 2  # 0 is January of the year 0
    return number, _first_day(number + 1)


def _first_day(number: int) -> int:
    """The first day of a month by its number, since 1970 (Hinnant, days_from_civil)."""
    year, month = divmod(number - 2, 12)
    era, year_of_era = divmod(year, 400)
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + (153 * month + 2) // 5
    return era * 146_097 + day_of_era - 719_468
