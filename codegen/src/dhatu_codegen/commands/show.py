"""The IR for people: a tree on the terminal, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeAlias, cast

from rich.markup import escape
from rich.tree import Tree

from ..ir.name import Name
from ..ir.source import SourceRef

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


def to_plain(value: object) -> Plain:
    """JSON: a node becomes an object with its `kind`, a place one string; empty fields are left out."""
    match value:
        case SourceRef():
            return str(value)
        case Name():
            return value.wire
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {
                str(key): to_plain(member) for key, member in cast(Mapping[object, object], value).items()
            }
        case list() | tuple():
            return [to_plain(element) for element in cast(Iterable[object], value)]
        case _ if is_dataclass(value):
            shown: dict[str, Plain] = {"kind": type(value).__name__}
            for field in fields(value):
                plain = None if field.name == "document" else to_plain(getattr(value, field.name))
                if plain is not False and plain not in (None, "", [], {}):
                    shown[field.name] = plain
            return shown
        case _:
            return repr(value)


def tree(value: object) -> Tree:
    """A tree to be printed by rich."""
    plain = to_plain(value)
    root = Tree(f"[bold]{escape(_label(plain))}[/]")
    _grow(root, plain)
    return root


def _grow(branch: Tree, plain: Plain) -> None:
    members = (
        plain.items() if isinstance(plain, dict) else enumerate(plain if isinstance(plain, list) else [])
    )
    for key, member in members:
        if key == "kind":
            continue
        if isinstance(member, (dict, list)):
            _grow(branch.add(f"[cyan]{escape(str(key))}[/] {escape(_label(member))}".rstrip()), member)
        else:
            branch.add(f"[cyan]{escape(str(key))}[/] = {escape(str(member))}")


def _label(plain: Plain) -> str:
    if not isinstance(plain, dict):
        return ""
    named = ("key", "name", "status", "media_type", "component")
    name = next((plain[key] for key in named if key in plain), "")
    return f"{plain.get('kind', '')} {name}".strip()
