"""One module of models, parted into modules that import what they need and nothing else.

Models that mention each other in a circle share a module. One that only a single other module mentions lives
there with it, since it is rarely needed alone; every other starts a module of its own. No circle of imports
can come of that, and whoever asks for a name loads what that name mentions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ...ir.name import Name
from ..base import HEADER
from ..circles import circles_of
from ..taken import Taken
from .identifiers import value_name

_DOCSTRING: Final = "What the operations answer, and the objects that they take."
RUNTIME: Final = "..._models"
"""The runtime's module with what models are made of, seen from a module of models."""
VARIANT: Final = "UnknownVariant"
"""What the runtime calls a variant that a newer server has added."""
_OF_RUNTIME: Final = frozenset({"BaseModel", VARIANT, "UnlistedInt", "UnlistedStr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A class or an alias, as it is written."""

    name: str
    text: str
    uses: frozenset[str]
    """Every name in it, those inside quoted annotations included."""


def part(text: str) -> dict[str, str]:
    """Path below `models/` to text, for a module that defines classes and aliases and imports absolutely."""
    tree = ast.parse(text)
    origins = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    definitions = {found.name: found for found in _definitions(tree, text) if found.name not in _OF_RUNTIME}
    modules = _modules(definitions)
    homes = {name: module for module, names in modules.items() for name in names}
    origins |= {name: (f".{module}", name) for name, module in homes.items()}
    origins |= {name: (RUNTIME, name) for name in _OF_RUNTIME}
    files = {
        f"{module}.py": _module([definitions[name] for name in names], origins, homes)
        for module, names in modules.items()
    }
    return {"__init__.py": _init(homes), **dict(sorted(files.items()))}


def _definitions(tree: ast.Module, text: str) -> Iterator[Definition]:
    lines = text.splitlines(keepends=True)
    for index, node in enumerate(tree.body):
        match node:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                last: ast.stmt = node
                following = tree.body[index + 1] if index + 1 < len(tree.body) else None
                match node, following:
                    case ast.Assign(), ast.Expr(value=ast.Constant()):
                        last = following  # the docstring of an alias; a call of model_rebuild is left out
                    case _:
                        pass
                own = "".join(lines[node.lineno - 1 : last.end_lineno])
                yield Definition(name=name, text=own, uses=frozenset(_used(node)))
            case _:
                pass


def _used(node: ast.AST) -> Iterator[str]:
    """The names that a definition mentions: in an alias they may be quoted, in `Literal` they are values."""
    waiting: list[ast.AST] = [node]
    while waiting:
        found = waiting.pop()
        match found:
            case ast.Name(id=name):
                yield name
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.AnnAssign(annotation=annotation, value=value):  # the target is a member
                waiting += [annotation, value] if value is not None else [annotation]
            case ast.Subscript(value=ast.Name(id="Literal")):
                yield "Literal"
            case ast.Call(func=ast.Name(id="TypeAliasType"), args=[_, value]):
                yield "TypeAliasType"
                waiting += [ast.parse(one, mode="eval") for one in _quoted(value)]
                waiting.append(value)
            case _:
                waiting += ast.iter_child_nodes(found)


def _quoted(value: ast.expr) -> Iterator[str]:
    """Types in quotes."""
    waiting: list[ast.AST] = [value]
    while waiting:
        match waiting.pop():
            case ast.Constant(value=str() as quoted):
                yield quoted
            case ast.Subscript(value=ast.Name(id="Literal")) | ast.Call():
                pass
            case other:
                waiting += ast.iter_child_nodes(other)


def _modules(definitions: Mapping[str, Definition]) -> dict[str, list[str]]:
    """Module to the names in it, in the order of the text, which runs."""
    mentions = {
        name: sorted(definition.uses & definitions.keys()) for name, definition in definitions.items()
    }
    circles = circles_of(mentions)
    users: dict[int, set[int]] = {number: set() for number in range(len(circles))}
    number_of = {name: number for number, circle in enumerate(circles) for name in circle}
    for name, others in mentions.items():
        for other in others:
            if number_of[other] != number_of[name]:
                users[number_of[other]].add(number_of[name])
    homes: dict[int, int] = {}
    for number in reversed(range(len(circles))):  # users come before what they use
        above = {homes[user] for user in users[number]}
        homes[number] = above.pop() if len(above) == 1 else number
    taken = Taken(definitions)
    names = {
        number: taken.give(value_name(Name.of(min(circles[number]))))
        for number in sorted(set(homes.values()), key=lambda number: min(circles[number]))
    }
    modules: dict[str, list[str]] = {name: [] for name in names.values()}
    for name in definitions:
        modules[names[homes[number_of[name]]]].append(name)
    return modules


def _module(
    definitions: list[Definition], origins: Mapping[str, tuple[str, str]], homes: Mapping[str, str]
) -> str:
    own = {definition.name for definition in definitions}
    used = sorted({name for definition in definitions for name in definition.uses} - own)
    blocks: tuple[dict[str, list[str]], ...] = ({}, {}, {})
    for name in used:
        if name in origins:
            module, original = origins[name]
            place = 2 if module.startswith(".") else int(module in ("pydantic", "typing_extensions"))
            spelled = name if name == original else f"{original} as {name}"
            blocks[place].setdefault(module, []).append(spelled)
    written = "\n\n".join(
        "\n".join(f"from {module} import {', '.join(sorted(names))}" for module, names in _in_order(block))
        for block in blocks
        if block
    )
    heads = ", ".join(f"`{name}`" for name in sorted(own)[:3]) + (
        " and what they hold" if len(own) > 3 else ""
    )
    body = "\n\n\n".join(definition.text.strip() for definition in definitions)
    head = f'# {HEADER}\n"""{heads}."""\n\nfrom __future__ import annotations\n\n{written}'
    return f"{head.rstrip()}\n\n\n{body}\n"


def _in_order(block: Mapping[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(block.items(), key=lambda item: (-(len(item[0]) - len(item[0].lstrip("."))), item[0]))


def _init(homes: Mapping[str, str]) -> str:
    names = sorted(homes)
    head = f'# {HEADER}\n"""{_DOCSTRING}"""\n'
    if not names:
        return head
    imports = "\n".join(f"    from .{homes[name]} import {name} as {name}" for name in names)
    listed = "".join(f'            "{name}": "{homes[name]}",\n' for name in names)
    return (
        f"{head}\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
        "from ..._lazy import lazily\n\n"
        f"if TYPE_CHECKING:\n{imports}\n"
        "else:  # each is loaded when it is first asked for\n"
        f"    __getattr__, __dir__ = lazily(\n        __name__,\n        {{\n{listed}        }},\n    )\n"
    )
