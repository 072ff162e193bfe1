"""The stage that tells caches on the way that an answer depends on who asks."""

from __future__ import annotations

from dhatu_gateway.core.exchange import Exchange, Header, Stage
from dhatu_gateway.core.types import Platform, Route


def build_vary(route: Route, platform: Platform) -> Stage | None:
    """Name the fields of the route's credentials in Vary; None where anybody may call.

    RFC 9111 section 3.5 keeps caches from answers to requests with Authorization, but that other fields, such
    as X-API-Key, are credentials they do not know. A key in the query is a part of what caches go by.
    """
    used = {credential.scheme for requirement in route.security for credential in requirement}
    fields = {
        "Cookie" if scheme.location == "cookie" else scheme.parameter
        for scheme in platform.security_schemes
        if scheme.key in used and scheme.location != "query" and scheme.parameter
    }
    if not fields:
        return None
    header: Header = (b"vary", ", ".join(sorted(fields)).encode("ascii"))

    def vary(exchange: Exchange) -> None:
        exchange.response_headers.append(header)

    return vary
