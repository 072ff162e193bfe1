"""Webhooks: operations that the API calls, of which a caller needs what they bring."""

from __future__ import annotations

from ..ir.name import Name
from ..ir.webhook import Webhook
from ..path_item import operations
from .context import Context
from .parameters import parse_body


def parse_webhooks(context: Context) -> tuple[Webhook, ...]:
    """Every method of every webhook, in document order."""
    listed = context.root.get("webhooks")
    found: list[Webhook] = []
    for name, written in listed.members() if listed else ():
        for method, operation in operations(context.follow(written)):
            body = parse_body(context, operation)
            found.append(
                Webhook(
                    name=Name.of(name),
                    method=method,
                    summary=operation.text("summary").strip(),
                    payloads=body.payloads if body else (),
                    source=operation.source,
                )
            )
    return tuple(found)
