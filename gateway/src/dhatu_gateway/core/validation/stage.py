"""The stage that holds a request against the specification: parameters and body, all errors in one answer."""

from __future__ import annotations

from collections.abc import Awaitable

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.validation.body import build_body
from dhatu_gateway.core.validation.parameters import build_parameters
from dhatu_gateway.core.validation.refusals import Findings, build_watch
from dhatu_gateway.core.validation.schemas import Schemas


def build_validation(route: Route, schemas: Schemas, findings: Findings) -> Stage:
    """Compose what a route checks; at the least, that the body is not too large."""
    watch = build_watch(route, findings)
    take_body = build_body(route, schemas, watch)
    check_parameters = build_parameters(route, schemas, watch)
    if check_parameters is None:
        return lambda exchange: take_body(exchange, [])

    def validate(exchange: Exchange) -> Awaitable[None] | None:
        return take_body(exchange, check_parameters(exchange))

    return validate
