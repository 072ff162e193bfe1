"""Any OpenAPI 3 document to the OpenAPI 3.1 that the pipeline reads, every place kept."""

from __future__ import annotations

from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map
from . import from_3_0, from_3_2
from .required import limit_required
from .rewriter import Rewriter

VERSION: Final = "3.1.1"
"""What an upgraded document says of itself."""


def upgrade(document: Map, diagnostics: Diagnostics) -> Map:
    """A document of OpenAPI 3.0 or 3.2 in the words of 3.1; any other comes back as it is.

    What 3.1 has no words for stays under `x-oai-` names where something here reads them, and is a
    diagnostic at its place where nothing does. References are followed inside the document only.
    """
    version = document.get("openapi")
    if not isinstance(version, str):
        return document
    if version.startswith("3.0.") or version == "3.0":
        upgraded = Rewriter(document, from_3_0.TRANSFORMS, diagnostics).document()
        limit_required(upgraded, diagnostics)
    elif version.startswith("3.2.") or version == "3.2":
        upgraded = Rewriter(document, from_3_2.TRANSFORMS, diagnostics).document()
    else:
        return document
    upgraded.put("openapi", VERSION, document.places["openapi"])
    return upgraded
