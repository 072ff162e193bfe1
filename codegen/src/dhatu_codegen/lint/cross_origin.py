"""Which browsers' pages may call: rules that no browser obeys, or that open more than was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api
from ..ir.policy import Cors
from ..pointer import join

# A serialised origin (Fetch standard): scheme, host and a port that is not the usual one, nothing else.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_USUAL_PORT: Final = re.compile(r"http://.*:80|https://.*:443")


def cross_origin(api: Api, diagnostics: Diagnostics) -> None:
    """DH014: every origin is one that browsers send, and credentials are for origins that are named."""
    root = Node.of(api.document)
    seen: set[tuple[str, int, int]] = set()
    places = [(root.at("/x-dhatu/cors"), api.cors)]
    places += [
        (
            root.at(join("paths", operation.path, operation.method.lower(), "x-dhatu", "cors")),
            operation.policy.cors,
        )
        for operation in api.operations
    ]
    for written, resolved in places:
        if written is None:
            continue
        for node, message, hint in (*_origins(written), *_wildcards(written, resolved)):
            place = (node.source.file, node.source.line, node.source.column)
            if place not in seen:  # several operations inherit it from one place
                seen.add(place)
                diagnostics.add("DH014", message, node.source, hint=hint)


def _origins(written: Node) -> Iterator[tuple[Node, str, str]]:
    listed = written.get("allow_origins")
    for node in listed.elements() if listed else ():
        origin = str(node.value)
        if origin == "null":
            hint = "name the origins; sandboxed frames and files of anybody send `null`"
            yield node, "the origin 'null' is nobody's in particular", hint
        elif origin != "*" and (not _ORIGIN.fullmatch(origin) or _USUAL_PORT.fullmatch(origin)):
            hint = "write scheme and host in lower case and nothing else: https://app.example.com"
            yield node, f"{origin!r} is not an origin as browsers send it", hint


def _wildcards(written: Node, resolved: Cors) -> Iterator[tuple[Node, str, str]]:
    if not resolved.allow_credentials:
        return
    for key in ("allow_origins", "allow_headers", "expose_headers"):
        if "*" in getattr(resolved, key):
            node = written.get(key) or written.get("allow_credentials") or written
            message = f"{key} has '*' where credentials are allowed, which browsers do not accept"
            yield node, message, f"list the {key.partition('_')[2]}, or leave allow_credentials out"
