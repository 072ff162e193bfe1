"""The import lines of a module, worked out from the names that its text uses."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from typing import Final

_ORIGINS: Final = {
    "builtins": "",
    **dict.fromkeys(("AsyncIterable", "Iterable", "Mapping", "Sequence"), "collections.abc"),
    **dict.fromkeys(("date", "date_type", "datetime", "datetime_type"), "datetime"),
    "cached_property": "functools",
    **dict.fromkeys(("Any", "ClassVar", "Final", "Literal", "Unpack", "overload"), "typing"),
    "deprecated": "typing_extensions",
    "UUID": "uuid",
    **dict.fromkeys(("bound", "bound_types", "inputs", "input_types", "models", "model_types", "ops"), "."),
    **dict.fromkeys(("BinaryResponse", "SyncBinaryResponse"), ".._answers.binary"),
    **dict.fromkeys(
        (
            *(
                "OMIT",
                "ApiSpec",
                "BodySpec",
                "CallOptions",
                "FieldSpec",
                "JobSpec",
                "Omit",
                "Operation",
                "PageSpec",
                "ParameterSpec",
            ),
            *("ResponseSpec", "SchemeSpec", "GrantSpec"),
        ),
        ".._call",
    ),
    **dict.fromkeys(("AsyncJob", "AsyncPage", "SyncJob", "SyncPage"), ".._bound"),
    **dict.fromkeys(("AsyncAPIClient", "SyncAPIClient"), ".._client"),
    **dict.fromkeys(("ArgumentEntry", "CommandEntry", "GroupEntry", "ProgramEntry"), ".._commands"),
    **dict.fromkeys(("Content", "SyncContent"), ".._encoding.content"),
    "AsyncPaginator": ".._pages",
    **dict.fromkeys(("raw", "streamed", "sync_raw", "sync_streamed"), ".._modes"),
    **dict.fromkeys(("AsyncOperations", "SyncOperations"), ".._operations"),
    **dict.fromkeys(("EventStream", "SyncEventStream"), ".._answers.streams"),
}
"""Where a name comes from, seen from the package; empty for a module of its own."""
_THIRD_PARTY: Final = frozenset({"typing_extensions"})
RENAMED_WHERE_HIDDEN: Final = {
    "bound": "bound_types",
    "inputs": "input_types",
    "models": "model_types",
    "date": "date_type",
    "datetime": "datetime_type",
}
"""What these are called in a class that has a member of their name."""
_ALIASES: Final = {
    "ops": "operations as ops",
    **{alias: f"{name} as {alias}" for name, alias in RENAMED_WHERE_HIDDEN.items()},
}


def import_lines(text: str, depth: int = 0, own: Mapping[str, str] | None = None) -> str:
    """The imports of a module `depth` folders down in the package; what only annotations use is not run.

    `own` adds names to those that are known.

    >>> print(import_lines("X: Final[Literal['a']] = OMIT"))
    from __future__ import annotations
    <BLANKLINE>
    from typing import TYPE_CHECKING
    <BLANKLINE>
    from .._call import OMIT
    <BLANKLINE>
    if TYPE_CHECKING:
        from typing import Final, Literal
    """
    origins = {**_ORIGINS, **(own or {})}
    uses = _Uses()
    uses.visit(ast.parse(text))
    run = (uses.run & origins.keys()) - uses.bound
    annotated = (uses.annotated & origins.keys()) - run
    listed = {name: origins[name] for name in run}
    if annotated:
        listed["TYPE_CHECKING"] = "typing"
    blocks = ["from __future__ import annotations", *_blocks(listed, depth)]
    if annotated:
        typed = "\n\n".join(_blocks({name: origins[name] for name in annotated}, depth))
        blocks.append(f"if TYPE_CHECKING:\n{textwrap.indent(typed, '    ')}")
    return "\n\n".join(blocks)


class _Uses(ast.NodeVisitor):
    """The names that a module runs, those that only its annotations use, and those that functions import."""

    def __init__(self) -> None:
        self.run: set[str] = set()
        self.annotated: set[str] = set()
        self.bound: set[str] = set()
        self._inside = False
        self._arguments: frozenset[str] = frozenset()
        """Of the function whose body is being read, where they hide names of the module."""

    def visit_Name(self, node: ast.Name) -> None:
        if self._inside:
            self.annotated.add(node.id)
        elif node.id not in self._arguments:
            self.run.add(node.id)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.bound |= {alias.asname or alias.name for alias in node.names}

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        self._annotation(node.annotation)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._annotation(node.returns)
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        outside = self._arguments
        self._arguments = outside | {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
        for part in node.body:
            self.visit(part)
        self._arguments = outside

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None:
            self._inside = True
            self.visit(node)
            self._inside = False


def _blocks(names: Mapping[str, str], depth: int) -> list[str]:
    """Import lines for names and their origins: the standard library, other packages, this one."""
    modules: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)):
        origin = names[name]
        module = "." * depth + origin if origin.startswith(".") else origin
        modules.setdefault(module, []).append(_ALIASES.get(name, name))
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for module, listed in modules.items():
        lines = (
            [f"from {module} import {', '.join(listed)}"] if module else [f"import {one}" for one in listed]
        )
        groups[2 if module.startswith(".") else module in _THIRD_PARTY].extend(lines)
    return ["\n".join(sorted(group, key=_order)) for group in groups if group]


def _order(line: str) -> tuple[bool, int, str]:
    """Modules before names, the furthest package first, then by name: as import sorters have it."""
    module = line.split()[1]
    dots = len(module) - len(module.lstrip("."))
    return (line.startswith("from "), -dots, module.lower())
