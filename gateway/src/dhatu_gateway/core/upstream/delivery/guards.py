"""What stands before a service: its breaker and that of the operation, passed by every attempt."""

from __future__ import annotations

from math import ceil
from typing import Final

from dhatu_gateway.core.upstream.breaker.breaker import REFUSED, Breaker
from dhatu_gateway.core.upstream.errors import CircuitOpen

_SPEAKS_OF_SERVICE: Final = frozenset({502, 503, 504})
NO_TICKETS: Final = (0, 0)


class Guards:
    """The breakers on the way of one route.

    That of the operation counts every answer of 500 and above; that of the service only those that say that
    nobody could give one, so that an operation with a bug does not close the way to the others.
    """

    __slots__ = ("_operation", "_service")

    def __init__(self, service: Breaker | None, operation: Breaker | None) -> None:
        self._service = service
        self._operation = operation

    def admit(self, now_s: float) -> tuple[int, int]:
        """Tickets for one attempt, to be settled once; raises `CircuitOpen`."""
        service, operation = self._service, self._operation
        of_service = service.admit(now_s) if service is not None else 0
        if of_service == REFUSED:
            raise self._refusal(now_s)
        of_operation = operation.admit(now_s) if operation is not None else 0
        if of_operation == REFUSED:
            if service is not None:
                service.settle(of_service, None, now_s)
            raise self._refusal(now_s)
        return of_service, of_operation

    def settle_status(self, tickets: tuple[int, int], status: int, now_s: float) -> None:
        """An attempt was answered."""
        if self._service is not None:
            self._service.settle(tickets[0], status in _SPEAKS_OF_SERVICE, now_s)
        if self._operation is not None:
            # A caller's mistake neither speaks for nor against the service.
            failed = True if status >= 500 else False if status < 400 else None
            self._operation.settle(tickets[1], failed, now_s)

    def settle_error(self, tickets: tuple[int, int], failed: bool | None, now_s: float) -> None:
        """An attempt was not answered; None where that says nothing about the service."""
        if self._service is not None:
            self._service.settle(tickets[0], failed, now_s)
        if self._operation is not None:
            self._operation.settle(tickets[1], failed, now_s)

    def refuses_for_s(self, now_s: float) -> float:
        """Seconds until an attempt may be admitted; 0 where it would be now."""
        breakers = (self._service, self._operation)
        return max((breaker.refuses_for_s(now_s) for breaker in breakers if breaker is not None), default=0.0)

    def _refusal(self, now_s: float) -> CircuitOpen:
        wait_s = self.refuses_for_s(now_s)
        return CircuitOpen(
            f"too many calls have failed; the next one is tried in {wait_s:.1f} s",
            retry_after_s=max(1, ceil(wait_s)),
        )
