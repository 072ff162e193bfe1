"""Until when the service has to do what on one connection."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from dhatu_gateway.core.upstream.errors import Phase, UpstreamTimeout
from dhatu_gateway.core.upstream.timer import LazyTimer
from dhatu_gateway.core.upstream.types import UpstreamLimits


class Deadlines:
    """The one deadline that counts at the moment, named for whom the exchange waits for.

    Calls back when it has passed, and once before, `disconnect_check_s` after the beginning of an exchange.
    """

    __slots__ = (
        "_check_at_s",
        "_clock",
        "_fail_at_s",
        "_first_byte_s",
        "_idle_s",
        "_limits",
        "_phase",
        "_timer",
        "_total_at_s",
        "slow",
    )

    def __init__(
        self,
        limits: UpstreamLimits,
        clock: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
        callback: Callable[[], None],
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._timer = LazyTimer(loop, clock, callback)
        self._check_at_s = self._fail_at_s = self._total_at_s = math.inf
        self._first_byte_s = limits.first_byte_s
        self._idle_s = limits.idle_s
        self._phase: Phase = "total"
        self.slow = False
        """Whether the exchange has taken longer than `disconnect_check_s`."""

    def begin(self, now_s: float, total_at_s: float, first_byte_s: float) -> None:
        """An exchange begins, which must be over at `total_at_s`, and its head within `first_byte_s`."""
        limits = self._limits
        self.slow = False
        self._total_at_s = total_at_s
        self._first_byte_s = min(first_byte_s, limits.first_byte_s)
        fail_at_s = now_s + self._first_byte_s
        if fail_at_s < total_at_s:
            self._phase = "first_byte"
        else:
            self._phase = "total"
            fail_at_s = total_at_s
        self._fail_at_s = fail_at_s
        self._check_at_s = check_at_s = now_s + limits.disconnect_check_s
        self._timer.set(check_at_s if check_at_s < fail_at_s else fail_at_s)

    def await_head(self) -> None:
        """The service has the whole request and owes the head of its answer."""
        self._fail_after(self._first_byte_s, "first_byte")

    def await_progress(self) -> None:
        """The service owes the next bytes of its answer, or has to read those of the request."""
        self._fail_after(self._idle_s, "idle")

    def await_client(self) -> None:
        """It is the client's turn to read or to send: only the whole exchange has a deadline."""
        self._fail_after(math.inf, "total")

    def await_next(self) -> None:
        """The exchange is over; call back when the connection has not been used for `keep_alive_s`."""
        self._timer.set(self._clock() + self._limits.keep_alive_s)

    def lift_total(self) -> None:
        """Forget the deadline of the whole exchange."""
        self._total_at_s = math.inf

    def switch(self, idle_s: float) -> None:
        """The connection is a tunnel now: it may last for ever, but not be silent for longer than this."""
        self._idle_s = idle_s
        self._total_at_s = math.inf
        self.await_progress()

    def close(self) -> None:
        """Never call back again."""
        self._timer.close()

    def passed(self) -> bool:
        """To be asked in the callback: the deadline has passed, or else the exchange is now `slow`."""
        if self._clock() >= self._fail_at_s:
            return True
        self.slow = True
        self._timer.set(self._fail_at_s)
        return False

    def error(self, authority: str) -> UpstreamTimeout:
        """What to raise once the deadline has passed."""
        match self._phase:
            case "connect":
                what = f"accept a connection within {self._limits.connect_s} s"
            case "first_byte":
                what = f"begin its answer within {self._first_byte_s} s"
            case "idle":
                what = f"go on within {self._idle_s} s"
            case "total":
                what = "complete its answer before the deadline"
        return UpstreamTimeout(f"{authority} did not {what}", phase=self._phase, endpoint=authority)

    def _fail_after(self, delay_s: float, phase: Phase) -> None:
        fail_at_s = self._clock() + delay_s
        if fail_at_s >= self._total_at_s:
            fail_at_s, phase = self._total_at_s, "total"
        self._fail_at_s = fail_at_s
        self._phase = phase
        self._timer.set(fail_at_s if self.slow else min(fail_at_s, self._check_at_s))
