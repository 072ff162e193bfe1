"""`api.md`: every operation on a line of its own, as it is called and as it travels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..base import HEADER
from .view import Method, Package

LISTING: Final = "api.md"
"""Beside the modules of the package."""


def render_listing(package: Package) -> str:
    """Markdown: the methods of the client first, then a section for each resource."""
    names = package.api.sdk.client
    lines = [
        f"<!-- {HEADER} -->",
        "",
        f"# {package.api.title}: every operation",
        "",
        f"`client` is a `{names}`, whose methods are awaited, or a `Sync{names}`, whose methods are not.",
        "The arguments shown are the required ones; `...` stands for those that may be left out.",
        "`for` goes through (pages), `async for` in the async client; `.wait()` follows a (job) to its end.",
    ]
    if package.client_methods:
        lines += ["", "## client", "", *_entries("client", package.client_methods)]
    for resource in package.resources:
        lines += ["", f"## {resource.name}", ""]
        lines += _entries(f"client.{resource.name}", resource.methods)
    if package.webhooks:
        lines += ["", "## What webhooks bring", ""]
        lines += [f"- `{hook.method} {hook.name}`: `{hook.type}`" for hook in package.webhooks]
    return "\n".join(lines) + "\n"


def _entries(owner: str, methods: tuple[Method, ...]) -> Iterator[str]:
    for method in methods:
        route = f"{method.operation.method} {method.operation.path}"
        notes = [
            *(["pages"] if method.goes_on and method.goes_on[0] == "page" else []),
            *(["job"] if method.goes_on and method.goes_on[0] == "job" else []),
            *(["deprecated"] if method.deprecated else []),
        ]
        note = f" ({', '.join(notes)})" if notes else ""
        yield f"- `{owner}.{method.name}({_arguments(method)})`: `{route}`{note}"


def _arguments(method: Method) -> str:
    """`q, ...`: positional ones as they are, the required others by name."""
    signature = (method.overloads or (method.signature,))[0]
    shown = [slot.name for slot in signature.positional if not slot.default]
    shown += [f"{slot.name}=" for slot in signature.keyword if not slot.default]
    slots = [*method.signature.positional, *method.signature.keyword]
    more = len(shown) < len({slot.name for slot in slots})
    return ", ".join([*shown, "..."] if more else shown)
