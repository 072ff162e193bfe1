"""YAML 1.2 to values with places; what JSON cannot say (dates, tags, cycles) is an error.

PyYAML resolves plain scalars by YAML 1.1, where `no` is false and `2024-01-01` a date; here both stay text.
"""

from __future__ import annotations

import math
import re
from typing import Final

import yaml

from ..diagnostics import Diagnostics, Related
from ..document import Map, Places, Seq
from ..ir.schema import Json
from ..ir.source import SourceRef
from ..pointer import escape
from .yaml_depth import MAX_DEPTH, too_deep_at

_CORE: Final = "tag:yaml.org,2002:"


def add_core_resolvers(yaml_class: type[yaml.CSafeLoader] | type[yaml.CSafeDumper]) -> None:
    """Teach a loader or dumper the plain scalars of YAML 1.2.2's core schema (section 10.3.2), and `<<`."""
    for tag, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
        ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
        ("merge", r"<<", ["<"]),
    ):
        # types-pyyaml leaves this method untyped.
        yaml_class.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
            _CORE + tag, re.compile(rf"^(?:{pattern})$"), first
        )


class _Composer(yaml.CSafeLoader):
    """Composes nodes, with YAML 1.2's core schema in place of YAML 1.1's types."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own spelling; filled below


add_core_resolvers(_Composer)


def read_yaml(text: str, file: str, diagnostics: Diagnostics) -> Json | Map | Seq:
    """Read one YAML document; None after a syntax error, which is reported."""
    try:
        deep = too_deep_at(text)
        if deep is not None:
            source = SourceRef(file=file, line=deep[0], column=deep[1], pointer="")
            message = f"the document is nested too deeply to be read: more than {MAX_DEPTH} levels"
            diagnostics.add("DH002", message, source)
            return None
        composer = _Composer(text)
        root = composer.get_single_node()
        return _Reader(file, diagnostics).value(root, "") if root is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source = SourceRef(file=file, line=line, column=column, pointer="")
        diagnostics.add("DH002", f"broken YAML: {error.problem or error.context}", source)
    except yaml.YAMLError as error:
        source = SourceRef(file=file, line=1, column=1, pointer="")
        diagnostics.add("DH002", f"broken YAML: {error}", source)
    except RecursionError:
        source = SourceRef(file=file, line=1, column=1, pointer="")
        diagnostics.add("DH002", "the document is nested too deeply to be read", source)
    return None


class _Reader:
    """Turns composed nodes into values; a node that an alias repeats becomes one shared value."""

    def __init__(self, file: str, diagnostics: Diagnostics) -> None:
        self._file = file
        self._diagnostics = diagnostics
        self._done: dict[yaml.Node, Json] = {}
        self._open: set[yaml.Node] = set()

    def value(self, node: yaml.Node, pointer: str) -> Json:
        if node in self._done:
            return self._done[node]
        if node in self._open:
            self._diagnostics.add(
                "DH004", "an alias inside the very value it repeats", self._place(node, pointer)
            )
            return None
        self._open.add(node)
        value = self._convert(node, pointer)
        self._open.discard(node)
        self._done[node] = value
        return value

    def _place(self, node: yaml.Node, pointer: str) -> SourceRef:
        mark = node.start_mark
        return SourceRef(file=self._file, line=mark.line + 1, column=mark.column + 1, pointer=pointer)

    def _convert(self, node: yaml.Node, pointer: str) -> Json:
        if isinstance(node, yaml.MappingNode):
            return self._map(node, pointer)
        if isinstance(node, yaml.SequenceNode):
            found = Seq(self._place(node, pointer))
            for index, child in enumerate(node.value):
                inner = f"{pointer}/{index}"
                found.put(self.value(child, inner), self._place(child, inner))
            return found
        return self._scalar(node, pointer)

    def _map(self, node: yaml.MappingNode, pointer: str) -> Map:
        found = Map(self._place(node, pointer))
        inherited: list[tuple[yaml.Node, str]] = []
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._diagnostics.add("DH004", "a key must be plain text", self._place(key_node, pointer))
                continue
            if key_node.tag == _CORE + "merge":
                inherited.append((child, pointer))
                continue
            key: str = key_node.value
            inner = f"{pointer}/{escape(key)}"
            places = (self._place(key_node, inner), self._place(child, inner))
            if key in found:
                self._duplicate(key, found.places[key], places)
                continue
            found.put(key, self.value(child, inner), places)
        for child, inner in inherited:
            self._inherit(found, child, inner)
        return found

    def _duplicate(self, key: str, first: Places, again: Places) -> None:
        self._diagnostics.add(
            "DH003",
            f"the key {key!r} stands twice in the same object",
            again[0],
            related=[Related(message="stands here first", source=first[0])],
            hint="remove one of the two",
        )

    def _inherit(self, found: Map, child: yaml.Node, pointer: str) -> None:
        """Fill in what `<<` brings: own keys win, then the first of several parents."""
        parents = child.value if isinstance(child, yaml.SequenceNode) else [child]
        for parent in parents:
            value = self.value(parent, pointer)
            if not isinstance(value, Map):
                self._diagnostics.add(
                    "DH004", "<< takes an object or a list of objects", self._place(child, pointer)
                )
                continue
            for key in value:
                if key not in found:
                    found.take(value, key)

    def _scalar(self, node: yaml.Node, pointer: str) -> Json:
        text: str = node.value
        tag = node.tag.removeprefix(_CORE)
        try:
            if tag in ("str", "merge", "!"):
                return text
            if tag == "null":
                return None
            if tag == "bool":
                return text.lower() == "true"
            if tag == "int":
                return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            if tag == "float" and math.isfinite(number := float(text.replace("inf", "nan"))):
                return number
            problem = f"the tag {node.tag} and the value {text!r} have no meaning in JSON"
        except ValueError as error:
            problem = f"{text!r} is no {tag}: {error}"
        self._diagnostics.add(
            "DH004", problem, self._place(node, pointer), hint="write it as a quoted string"
        )
        return None
