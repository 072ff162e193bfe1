"""Webhooks and callbacks: operations that the API calls, of which a caller needs what they bring."""

from __future__ import annotations

from collections.abc import Iterator

from ..document import Node
from ..ir.name import Name
from ..ir.webhook import Webhook
from ..path_item import operations
from .context import Context
from .parameters import parse_body


def parse_webhooks(context: Context) -> tuple[Webhook, ...]:
    """Every method of every webhook, and of every callback of an operation, in document order."""
    return tuple(
        _webhook(context, name, method, operation)
        for name, item in (*_webhooks(context), *_callbacks(context))
        for method, operation in operations(context.follow(item))
    )


def _webhooks(context: Context) -> Iterator[tuple[str, Node]]:
    listed = context.root.get("webhooks")
    yield from listed.members() if listed else ()


def _callbacks(context: Context) -> Iterator[tuple[str, Node]]:
    """A callback is a webhook whose address the operation is told; here it has the callback's name."""
    paths = context.root.get("paths")
    for _, item in paths.members() if paths else ():
        for _, operation in operations(item):
            callbacks = operation.get("callbacks")
            for name, written in callbacks.members() if callbacks else ():
                for address, inner in context.follow(written).members():
                    if not address.startswith("x-"):
                        yield name, inner


def _webhook(context: Context, name: str, method: str, operation: Node) -> Webhook:
    body = parse_body(context, operation)
    return Webhook(
        name=Name.of(name),
        method=method,
        summary=operation.text("summary").strip(),
        payloads=body.payloads if body else (),
        source=operation.source,
    )
