"""The rule of the count: every operation of the API is rendered once, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from ...ir.api import Api
from ..base import TargetError
from .commands import COMMANDS
from .listing import LISTING

OPERATIONS: Final = "operations.py"
"""The module of the descriptors."""
_ENTRY: Final = re.compile(r"^- `client\.[^`]*`: `([A-Z]+ .*)`(?: \(deprecated\))?$", re.MULTILINE)


class CountError(TargetError):
    """What was rendered is not what the API has."""


def check_count(api: Api, sources: Mapping[str, str]) -> None:
    """Operations = descriptors = async methods = sync methods = commands = entries of api.md, as rendered.

    `sources` maps a file's path in the package to its text. Raises `CountError`, which names what is
    missing and what is too much.
    """
    trees = {path: ast.parse(text, path) for path, text in sources.items() if path.endswith(".py")}
    keys = dict(_descriptors(trees[OPERATIONS]))
    called = [call for tree in trees.values() for call in _calls(tree)]
    wanted = Counter(operation.key for operation in api.operations)
    routes = {f"{operation.method} {operation.path}": operation.key for operation in api.operations}
    rendered = {
        "descriptors": Counter(key for _, key in _descriptors(trees[OPERATIONS])),
        "async methods": Counter(keys.get(name, name) for is_async, name in called if is_async),
        "sync methods": Counter(keys.get(name, name) for is_async, name in called if not is_async),
        "commands": Counter(keys.get(name, name) for name in _commands(trees[COMMANDS])),
        f"entries of {LISTING}": Counter(
            routes.get(route, route) for route in map(str, _ENTRY.findall(sources[LISTING]))
        ),
    }
    problems = [problem for what, there in rendered.items() for problem in _problems(what, wanted, there)]
    if problems:
        raise CountError(
            f"the Python SDK must hold each of {wanted.total()} operations once: {'; '.join(problems)}"
        )


def _problems(what: str, wanted: Counter[str], there: Counter[str]) -> Iterator[str]:
    missing, surplus = wanted - there, there - wanted
    if missing:
        yield f"{what} missing: {', '.join(sorted(missing.elements()))}"
    if surplus:
        yield f"{what} too many: {', '.join(sorted(surplus.elements()))}"


def _descriptors(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(constant, operation key) of every `NAME: Final[...] = Operation(key="...", ...)`."""
    for node in tree.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(keywords=keywords)):
                for keyword in keywords:
                    if keyword.arg == "key" and isinstance(keyword.value, ast.Constant):
                        yield name, str(keyword.value.value)
            case _:
                pass


def _commands(tree: ast.Module) -> Iterator[str]:
    """The descriptor that each command names: `CommandEntry(..., operation="CORPUS_SEARCH", ...)`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="CommandEntry"), keywords=keywords):
                for keyword in keywords:
                    if keyword.arg == "operation" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value)
            case _:
                pass


def _calls(tree: ast.Module) -> Iterator[tuple[bool, str]]:
    """(whether async, constant) of every method that hands a descriptor to the runtime; no overload does."""
    for method in ast.walk(tree):
        if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef):
            for node in ast.walk(method):
                match node:
                    case ast.Attribute(value=ast.Name(id="ops"), attr=name):
                        yield isinstance(method, ast.AsyncFunctionDef), name
                    case _:
                        pass
