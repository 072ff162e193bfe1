"""The order of `dhatu-codegen sdk`: bundle, upgrade, check, adopt, parse, render, distribute.

The same stages as in `pipeline.py`, for a document that somebody else wrote: what only makes it worse is a
warning, and only what would lose an operation, or leave nothing to be read, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .adopt import SdkName, adopt, count_operations
from .bundle import bundle
from .diagnostics import Diagnostics
from .document import Node
from .foreign import TOLERATED, check_foreign
from .ir.api import Api
from .lint.contract import declared_security
from .locations import Boundary
from .parse.document import parse
from .targets.base import GeneratedFile
from .targets.python import PythonTarget
from .targets.python.distribution import distribute
from .upgrade import upgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk:
    """What a run gave."""

    api: Api | None
    """None where the document could not be read."""
    files: tuple[GeneratedFile, ...]
    """Relative to the folder of the SDK; empty where there is an error."""
    diagnostics: Diagnostics


def python_sdk(api: Api) -> tuple[GeneratedFile, ...]:
    """An installable package, with everything that it runs on."""
    return distribute(api, PythonTarget("src").render(api))


__all__ = ["LANGUAGES", "Sdk", "SdkName", "build_sdk"]

LANGUAGES: Final[Mapping[str, Callable[[Api], tuple[GeneratedFile, ...]] | None]] = {
    "python": python_sdk,
    "typescript": None,
}
"""Language to what renders its SDK; None for one that arrives with a later release."""


def build_sdk(boundary: Boundary, name: SdkName, render: Callable[[Api], tuple[GeneratedFile, ...]]) -> Sdk:
    """Everything up to the disk. Raises `TargetError` where an operation is not rendered exactly once."""
    diagnostics = Diagnostics()
    for code in TOLERATED:
        diagnostics.switch(code, "warning")
    bundled = bundle(boundary, diagnostics)
    if bundled is None:
        return Sdk(api=None, files=(), diagnostics=diagnostics)
    document = upgrade(bundled, diagnostics)
    if not check_foreign(document, diagnostics):
        return Sdk(api=None, files=(), diagnostics=diagnostics)
    api = parse(adopt(document, boundary.start, name, diagnostics), diagnostics)
    declared_security(api, diagnostics)
    written = count_operations(document)
    if len(api.operations) != written or len({operation.key for operation in api.operations}) != written:
        message = f"{written} operations are written here, and {len(api.operations)} were understood"
        diagnostics.add("DH055", message, Node.of(document).source)
    files = () if diagnostics.errors else render(api)
    return Sdk(api=api, files=files, diagnostics=diagnostics)
