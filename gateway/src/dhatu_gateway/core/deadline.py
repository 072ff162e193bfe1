"""The stage that sets when an exchange has to be over."""

from __future__ import annotations

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Route

_MAX_DIGITS = 9


def build_deadline(route: Route, header_prefix: str) -> Stage:
    """Give each request the route's timeout, or what its caller has left of theirs if that is less."""
    name = f"{header_prefix}Timeout-Ms"
    field = name.lower().encode("ascii")
    timeout_s = route.timeout_s

    def set_deadline(exchange: Exchange) -> None:
        value = exchange.fields.get(field)
        if value is None:
            exchange.deadline_at_s = exchange.started_at_s + timeout_s
            return
        if not value.isdigit() or len(value) > _MAX_DIGITS:
            detail = "must be a whole number of milliseconds"
            raise ProblemError(
                "invalid-request",
                f"{name} {detail}.",
                errors=[FieldError(location="header", name=name, detail=detail)],
            )
        left_s = int(value) / 1000
        if left_s <= 0:
            raise ProblemError("deadline-exceeded", "The caller had no time left when the request arrived.")
        exchange.deadline_at_s = exchange.started_at_s + min(timeout_s, left_s)

    return set_deadline
