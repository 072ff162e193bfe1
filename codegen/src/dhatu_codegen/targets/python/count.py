"""The rule of the count: every operation of the API is rendered once, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from ...ir.api import Api
from ..counting import hold_against
from .commands import COMMANDS
from .listing import LISTING

OPERATIONS: Final = "operations.py"
"""The module of the descriptors."""
_COLOURS: Final = {
    "AsyncAPIClient": "async",
    "AsyncOperations": "async",
    "SyncAPIClient": "sync",
    "SyncOperations": "sync",
}
"""The runtime's classes that generated ones extend."""
_WRAPPERS: Final = {"raw": "raw responses", "streamed": "streaming responses"}
_ENTRY: Final = re.compile(r"^- `client\.[^`]*`: `([A-Z]+ .*)`(?: \([a-z, ]+\))?$", re.MULTILINE)


def check_count(api: Api, sources: Mapping[str, str]) -> None:
    """Operations = descriptors = methods of each colour and form = commands = entries of api.md, as rendered.

    `sources` maps a file's path in the package to its text. Raises `CountError`.
    """
    trees = {path: ast.parse(text, path) for path, text in sources.items() if path.endswith(".py")}
    constants = dict(_descriptors(trees[OPERATIONS]))
    routes = {f"{operation.method} {operation.path}": operation.key for operation in api.operations}
    rendered = {"descriptors": Counter(constants.values())}
    rendered |= {
        f"{colour} {form}": Counter[str]()
        for colour in _COLOURS.values()
        for form in ("methods", *_WRAPPERS.values())
    }
    for tree in trees.values():
        for what, name in _offered(tree):
            rendered[what][constants.get(name, name)] += 1
    rendered["commands"] = Counter(constants.get(name, name) for name in _commands(trees[COMMANDS]))
    rendered[f"entries of {LISTING}"] = Counter(
        routes.get(route, route) for route in map(str, _ENTRY.findall(sources[LISTING]))
    )
    hold_against(api, "Python SDK", rendered)


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


def _offered(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(what, constant) of every method that hands a descriptor to the runtime, and of all that wrap it."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    colours = {
        node.name: _COLOURS[base.id]
        for node in classes
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in _COLOURS
    }
    methods = {node.name: dict(_methods(node)) for node in classes if node.name in colours}
    for owner, found in methods.items():
        yield from ((f"{colours[owner]} methods", constant) for constant in found.values())
    for node in classes:
        for owner, wrapper, name in _wrapped(node):
            form = _WRAPPERS[wrapper.removeprefix("sync_")]
            right = wrapper.startswith("sync_") == (colours[owner] == "sync")
            yield f"{colours[owner]} {form}", methods[owner].get(name, name) if right else wrapper


def _methods(found: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """(name, constant) of the methods of a class; no overload mentions a descriptor."""
    for method in found.body:
        if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef):
            for node in ast.walk(method):
                match node:
                    case ast.Attribute(value=ast.Name(id="ops"), attr=constant):
                        yield method.name, constant
                    case _:
                        pass


def _wrapped(found: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """(owner, wrapper, method) of every `self.method = wrapper(of.method)`, where `of` is an `owner`."""
    for method in found.body:
        match method:
            case ast.FunctionDef(
                name="__init__", args=ast.arguments(args=[_, ast.arg(annotation=ast.Name(id=owner))])
            ):
                for node in method.body:
                    match node:
                        case ast.Assign(
                            targets=[ast.Attribute(attr=name)],
                            value=ast.Call(func=ast.Name(id=wrapper), args=[ast.Attribute(attr=inner)]),
                        ):
                            yield owner, wrapper, inner if inner == name else f"{name} = {inner}"
                        case _:
                            pass
            case _:
                pass
