"""`api.md`: every operation on a line of its own, as it is called and as it travels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..base import HEADER
from .view import Method, Package

LISTING: Final = "api.md"
"""Beside the modules."""


def render_listing(package: Package) -> str:
    """Markdown: the methods of the client first, then a section for each resource."""
    lines = [
        f"<!-- {HEADER} -->",
        "",
        f"# {' '.join(package.api.title.split()) or package.api.sdk.client}: every operation",
        "",
        f"`client` is of the class `{package.api.sdk.client}`. Behind each method stands the function",
        "of the same operation, which takes a client first. `...` is the object of the other arguments,",
        "`...?` one that may be left out; options follow. `for await` goes through (pages), `wait()` follows",
        "a (job).",
    ]
    if package.client_methods:
        lines += ["", "## client", "", *_entries("client", package.client_methods)]
    for resource in package.resources:
        lines += ["", f"## {resource.name}", ""]
        lines += _entries(f"client.{resource.name}", resource.methods)
    return "\n".join(lines) + "\n"


def _entries(owner: str, methods: tuple[Method, ...]) -> Iterator[str]:
    for method in methods:
        route = f"{method.operation.method} {method.operation.path}"
        notes = [*filter(None, [method.goes_on and {"page": "pages", "job": "job"}[method.goes_on]])]
        notes += ["deprecated"] if method.operation.deprecated else []
        note = f" ({', '.join(notes)})" if notes else ""
        yield f"- `{owner}.{method.name}({_arguments(method)})` or `{method.exported}`: `{route}`{note}"


def _arguments(method: Method) -> str:
    signature = method.signatures[0]
    shown = [slot.name if slot.required else f"{slot.name}?" for slot in signature.positional]
    if signature.params:
        shown.append("..." if signature.params_required else "...?")
    return ", ".join(shown)
