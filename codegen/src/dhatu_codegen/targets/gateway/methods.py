"""The methods that reach a route at all."""

from __future__ import annotations

from typing import Final

from ...diagnostics import Diagnostics
from ...ir.api import Api

PARSED: Final = frozenset(
    {
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PURGE", "SEARCH"),
        *("ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY", "MKCALENDAR"),
        *("MKCOL", "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SOURCE", "SUBSCRIBE"),
        *("UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE"),
    }
)
"""What llhttp, the gateway's parser, knows; it refuses any other method before a route is looked up."""


def check_methods(api: Api, diagnostics: Diagnostics) -> None:
    """Report the operations whose requests the gateway's parser refuses."""
    for operation in api.operations:
        if operation.method not in PARSED:
            message = (
                f"{operation.key}: the gateway's HTTP parser does not know the method {operation.method}"
            )
            diagnostics.add("DH064", message, operation.source, hint="the SDKs send it all the same")
