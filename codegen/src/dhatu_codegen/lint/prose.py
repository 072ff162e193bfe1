"""What people read."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..ir.api import Api


def described(api: Api, diagnostics: Diagnostics) -> None:
    """DH040: every operation has a summary and a description, every parameter a description."""
    for operation in api.operations:
        for part, text in (("summary", operation.summary), ("description", operation.description)):
            if not text:
                diagnostics.add("DH040", f"{operation.key} has no {part}", operation.source)
        for parameter in operation.parameters:
            if not parameter.description:
                message = f"the parameter {parameter.name.wire!r} of {operation.key} has no description"
                diagnostics.add("DH040", message, parameter.source)
