"""The order of `dhatu-codegen sdk`: bundle, upgrade, check, adopt, parse, render, distribute.

The same stages as in `pipeline.py`, for a document that somebody else wrote: what only makes it worse is a
warning, and only what would lose an operation, or leave nothing to be read, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api
from ..lint.contract import declared_security
from ..parse.document import parse
from ..reading.locations import Boundary
from ..targets.base import GeneratedFile, Target
from ..targets.python import PythonTarget
from ..targets.python import distribution as python
from ..targets.typescript import TypeScriptTarget
from ..targets.typescript import distribution as typescript
from ..upgrade import upgrade
from .adopt import SdkName, adopt, count_operations
from .bundle import bundle
from .foreign import TOLERATED, check_foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk:
    """What a run gave."""

    api: Api | None
    """None where the document could not be read."""
    files: tuple[GeneratedFile, ...]
    """Relative to the folder of the SDK; empty where there is an error."""
    diagnostics: Diagnostics


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How an SDK in one language is made."""

    target: Target
    check_name: Callable[[str], None]
    """Raises `TargetError` for a name that no package can have."""
    distribute: Callable[[Api, tuple[GeneratedFile, ...]], tuple[GeneratedFile, ...]]
    """Makes an installable package of what the target rendered."""
    install: str
    """What to do next; `{out}` is the folder."""


LANGUAGES: Final[Mapping[str, Language]] = {
    "python": Language(
        target=PythonTarget("src"),
        check_name=python.check_name,
        distribute=python.distribute,
        install="pip install {out}",
    ),
    "typescript": Language(
        target=TypeScriptTarget("src"),
        check_name=typescript.check_name,
        distribute=typescript.distribute,
        install="npm install {out}",
    ),
}


def build_sdk(boundary: Boundary, name: SdkName, language: Language) -> Sdk:
    """Everything up to the disk.

    Raises `TargetError` for a name that cannot be, and where an operation is not rendered exactly once.
    """
    language.check_name(name.package)
    diagnostics = Diagnostics()
    api = understand(boundary, name, diagnostics)
    if api is not None:
        language.target.check(api, diagnostics)
    if api is None or diagnostics.errors:
        return Sdk(api=api, files=(), diagnostics=diagnostics)
    return Sdk(api=api, files=language.distribute(api, language.target.render(api)), diagnostics=diagnostics)


def understand(boundary: Boundary, name: SdkName, diagnostics: Diagnostics) -> Api | None:
    """The API that a document describes; None where it is no OpenAPI document, or cannot be read."""
    for code in TOLERATED:
        diagnostics.switch(code, "warning")
    bundled = bundle(boundary, diagnostics)
    document = upgrade(bundled, diagnostics) if bundled is not None else None
    if document is None or not check_foreign(document, diagnostics):
        return None
    api = parse(adopt(document, boundary.start, name, diagnostics), diagnostics)
    declared_security(api, diagnostics)
    written = count_operations(document)
    if len(api.operations) != written or len({operation.key for operation in api.operations}) != written:
        message = f"{written} operations are written here, and {len(api.operations)} were understood"
        diagnostics.add("DH055", message, Node.of(document).source)
    return api
