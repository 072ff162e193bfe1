"""Overlays: changes to a service's document that are written beside it (Overlay Specification 1.0 and 1.1).

Unlike the specification, which lets an action do nothing, a target that selects nothing is an error: the
document has moved on, and somebody has to look at the overlay.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..diagnostics import Diagnostics
from ..document import Map, Node
from ..reading.load import load
from .actions import Overlaid
from .check import check_overlay

__all__ = ["apply_overlay", "apply_overlays"]


def apply_overlays(root: Path, service: Node, document: Map, diagnostics: Diagnostics) -> Map:
    """The document with the `overlays` that platform.yaml names for its service, in their order.

    `service` is the entry in platform.yaml; the files are relative to it.
    """
    named = service.get("overlays")
    for entry in named.elements() if named else ():
        overlay = load(root, f"spec/{entry.value}", diagnostics, named_at=entry.place)
        if overlay is not None:
            document = apply_overlay(document, overlay, diagnostics)
    return document


def apply_overlay(document: Map, overlay: Map, diagnostics: Diagnostics) -> Map:
    """A changed copy of a document; the document itself where the overlay is none or is for another one.

    What the overlay writes stands where the overlay says it.
    """
    node = Node.of(overlay)
    if not check_overlay(node, diagnostics) or not _is_for(node, document, diagnostics):
        return document
    overlaid = Overlaid(document, node.text("overlay"), diagnostics)
    actions = node.get("actions")
    for action in actions.elements() if actions else ():
        overlaid.apply(action)
    return overlaid.document


def _is_for(overlay: Node, document: Map, diagnostics: Diagnostics) -> bool:
    """Whether `extends`, which is relative to the overlay, names this document; an address elsewhere may."""
    extends = overlay.get("extends")
    address = urlsplit(overlay.text("extends"))
    if extends is None or address.scheme or address.netloc:
        return True
    folder = posixpath.dirname(extends.place.file)
    named = posixpath.normpath(posixpath.join(folder, unquote(address.path)))
    if named == document.source.file:
        return True
    message = f"the overlay extends {named}, and is applied to {document.source.file}"
    diagnostics.add("DH069", message, extends.place, hint="name it under the service that it is for")
    return False
