"""`x-dhatu` and platform.yaml against their JSON Schema: an unknown key is an error, never silence."""

from __future__ import annotations

from typing import Final

import jsonschema_rs

from .diagnostics import Diagnostics
from .document import Map, Node, plain
from .naming import nearest
from .path_item import operations
from .pointer import join
from .walk import structure

_EXTENSION: Final = "x-dhatu"


def check_platform(platform: Map, schema: Map, diagnostics: Diagnostics) -> bool:
    """Report what `$defs/platform` refuses."""
    return _check(Node.of(platform), schema, "platform", diagnostics)


def check_extension(root: Node, schema: Map, diagnostics: Diagnostics) -> bool:
    """Report what is wrong with `x-dhatu` at the root, on paths and operations, and where else it stands."""
    places: list[tuple[Node, str]] = [(root, "root")]
    paths = root.get("paths")
    for _, item in paths.members() if paths else ():
        places.append((item, "path"))
        places += [(operation, "operation") for _, operation in operations(item)]
    holds = True
    read: set[str] = set()
    for node, definition in places:
        found = node.get(_EXTENSION)
        if found is not None:
            read.add(found.pointer)
            holds = _check(found, schema, definition, diagnostics) and holds
    for holder in structure(root):
        stray = holder.get(_EXTENSION)
        if stray is not None and stray.pointer not in read:
            holds = False
            hint = "it belongs to the root, a path or an operation"
            diagnostics.add("DH012", "nothing reads x-dhatu here", stray.source, hint=hint)
    return holds


def _check(node: Node, schema: Map, definition: str, diagnostics: Diagnostics) -> bool:
    holds = True
    # The error's schema path then starts at `$defs`, where the known keys are looked up.
    wrapped = {"$ref": f"#/$defs/{definition}", "$defs": plain(schema["$defs"])}
    for error in jsonschema_rs.Draft202012Validator(wrapped).iter_errors(plain(node.value)):
        holds = False
        at = node.at(join(*(str(token) for token in error.instance_path))) or node
        unexpected: list[str] = getattr(error.kind, "unexpected", [])
        if not unexpected:
            diagnostics.add("DH011", _readable(at, error.message), at.place)
        for key in unexpected:
            known = _known_keys(schema, error.schema_path)
            diagnostics.add(
                "DH010", f"unknown key {key!r}", (at.get(key) or at).source, hint=_hint(key, known)
            )
    return holds


def _readable(at: Node, message: str) -> str:
    shown = at.pointer.rsplit("/", 1)[-1]
    return f"{shown}: {message}" if shown else message


def _hint(key: str, known: list[str]) -> str:
    suggestion = nearest(key, known)
    return f"did you mean {suggestion!r}?" if suggestion else f"known keys: {', '.join(sorted(known))}"


def _known_keys(schema: Map, path: list[str | int]) -> list[str]:
    """The keys that the object schema whose `additionalProperties` refused a key does describe."""
    properties = Node.of(schema).at(join(*(str(token) for token in path[:-1]), "properties"))
    return [key for key, _ in properties.members()] if properties else []
