"""The merged document as text: YAML for people, JSON for programs; the same value gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from .document import Map, Seq
from .ir.schema import Json
from .reading.read_yaml import add_core_resolvers

_WIDTH: Final = 120


class _Dumper(yaml.CSafeDumper):
    """Block style, no aliases, long texts as literal blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _mapping(dumper: _Dumper, value: Mapping[str, Json]) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=False)


def _sequence(dumper: _Dumper, value: list[Json]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=False)


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    # types-pyyaml leaves the value untyped.
    return dumper.represent_scalar(  # pyright: ignore[reportUnknownMemberType]
        "tag:yaml.org,2002:str", value, style=style
    )


# PyYAML quotes what YAML 1.1 takes for a number or a date; YAML 1.2 takes more, such as 1e3 and 0o17.
add_core_resolvers(_Dumper)
_Dumper.add_representer(Map, _mapping)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(Seq, _sequence)
_Dumper.add_representer(str, _text)


def to_yaml(document: Mapping[str, Json], header: str) -> str:
    """YAML in block style, keys in the document's own order, after a comment."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return f"# {header}\n{text}"


def to_json(document: Mapping[str, Json], header: str) -> str:
    """JSON in the document's own order; JSON has no comments, so the header is an extension."""
    return json.dumps({**document, "x-generated": header}, ensure_ascii=False, indent=1) + "\n"
