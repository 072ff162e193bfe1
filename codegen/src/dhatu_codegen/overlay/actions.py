"""Actions on a document, one after the other, each on what the last one left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..diagnostics import Diagnostics, Related
from ..document import Map, Node, Seq
from ..ir.schema import Json
from ..ir.source import SourceRef
from ..jsonpath import JsonPathError, Match, find, parse_query
from .missing import nearest_miss


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A selected node, and the object or array that holds it; None for the root."""

    holder: Map | Seq | None
    key: str | int
    value: Json
    place: SourceRef


class Overlaid:
    """A copy of a document that actions change."""

    def __init__(self, document: Map, version: str, diagnostics: Diagnostics) -> None:
        copy = duplicate(document)
        if not isinstance(copy, Map):
            raise TypeError("the copy of a document is no object")
        self.document = copy
        self._replaces = not version.startswith("1.0.")
        """Whether a target may be a text, a number, a boolean or null (since 1.1)."""
        self._diagnostics = diagnostics

    def apply(self, action: Node) -> None:
        """Carry out an action, or report why not."""
        target = action.get("target")
        if target is None:
            return
        spots = [self._spot(match) for match in self._selected(target)]
        if not spots:
            return
        if action.flag("remove"):
            self._remove(target, spots)
        elif update := action.get("update"):
            self._update(target, spots, update)
        elif copy := action.get("copy"):
            self._copy(target, spots, copy)

    def _selected(self, path: Node) -> list[Match]:
        """What a JSONPath selects, each node once; where that is nothing, an error has been reported."""
        text = str(path.value)
        try:
            query = parse_query(text)
        except JsonPathError as error:
            message = f"{text} is no JSONPath query: {error.message} (after {error.offset} characters)"
            self._diagnostics.add("DH068", message, path.place, hint="the grammar is that of RFC 9535")
            return []
        found = list({match.location: match for match in find(query, self.document)}.values())
        if not found:
            hint = nearest_miss(query, self.document)
            self._diagnostics.add("DH067", f"{text} selects nothing", path.place, hint=hint)
        return found

    def _spot(self, match: Match) -> _Spot:
        node, holder = Node.of(self.document), None
        for step in match.location:
            holder = node.value
            node = node.step(str(step)) or node
        key = match.location[-1] if match.location else ""
        known = holder if isinstance(holder, Map | Seq) else None
        return _Spot(holder=known, key=key, value=match.value, place=node.source)

    def _remove(self, target: Node, spots: list[_Spot]) -> None:
        elements: dict[int, tuple[Seq, list[int]]] = {}
        for spot in spots:
            if spot.holder is None:
                self._diagnostics.add("DH069", "the whole document cannot be removed", target.place)
            elif isinstance(spot.holder, Map):
                spot.holder.pop(str(spot.key), None)
            elif isinstance(spot.key, int):
                elements.setdefault(id(spot.holder), (spot.holder, []))[1].append(spot.key)
        for holder, indices in elements.values():
            for index in sorted(indices, reverse=True):
                del holder[index], holder.places[index]

    def _copy(self, target: Node, spots: list[_Spot], copy: Node) -> None:
        sources = self._selected(copy)
        if len(sources) > 1:
            message = f"{copy.value} selects {len(sources)} nodes: only one can be copied"
            self._diagnostics.add("DH069", message, copy.place)
        elif sources:
            value = duplicate(sources[0].value, at=copy.place)
            self._update(target, spots, Node(value=value, pointer="", source=copy.source, place=copy.place))

    def _update(self, target: Node, spots: list[_Spot], update: Node) -> None:
        kinds = {_kind(spot.value) for spot in spots}
        if len(kinds) > 1:
            message = f"{target.value} selects {' and '.join(sorted(kinds))}: an update needs one of them"
            related = [
                Related(message=f"one of the {_kind(spot.value)}", source=spot.place) for spot in spots[:2]
            ]
            self._diagnostics.add("DH069", message, target.place, related=related)
            return
        for spot in spots:
            self._write(spot, update)

    def _write(self, spot: _Spot, update: Node) -> None:
        value = duplicate(update.value)
        if isinstance(spot.value, Seq):
            _extend(spot.value, value, update.place)
        elif isinstance(spot.value, Map) and isinstance(value, Map):
            self._merge(spot.value, value)
        elif _kind(spot.value) != _kind(value):
            self._differ(spot.place, _kind(spot.value), update.place, _kind(value))
        elif not self._replaces:
            message = "Overlay 1.0 changes objects and arrays only"
            self._diagnostics.add("DH069", message, update.place, hint="write overlay: 1.1.0")
        elif isinstance(spot.holder, Map):
            spot.holder.put(str(spot.key), value, (update.source, update.place))
        elif isinstance(spot.holder, Seq) and isinstance(spot.key, int):
            spot.holder[spot.key], spot.holder.places[spot.key] = value, update.place

    def _merge(self, into: Map, update: Map) -> None:
        """Objects are merged, arrays joined, other values replaced; what is only in one of the two stays."""
        for key in update:
            old, new = into.get(key), update[key]
            if key not in into:
                into.take(update, key)
            elif isinstance(old, Map) and isinstance(new, Map):
                self._merge(old, new)
            elif isinstance(old, Seq) and isinstance(new, Seq):
                _extend(old, new, new.source)
            elif _kind(old) == _kind(new):
                into.take(update, key)
            else:
                self._differ(into.places[key][0], _kind(old), update.places[key][0], _kind(new))

    def _differ(self, there: SourceRef, old: str, here: SourceRef, new: str) -> None:
        message = f"{new} cannot be merged with {old}"
        related = [Related(message=f"stands here as one of {old}", source=there)]
        hint = "remove what is there in an action before"
        self._diagnostics.add("DH069", message, here, related=related, hint=hint)


def duplicate(value: Json, at: SourceRef | None = None) -> Json:
    """A deep copy with the same places, or with everything at one place; what aliases shared is apart."""
    if isinstance(value, Map):
        members = Map(at or value.source)
        for key in value:
            places = (at, at) if at else value.places[key]
            members.put(key, duplicate(value[key], at), places)
        return members
    if isinstance(value, Seq):
        elements = Seq(at or value.source)
        for element, place in zip(value, value.places, strict=True):
            elements.put(duplicate(element, at), at or place)
        return elements
    return value


def _extend(into: Seq, value: Json, place: SourceRef) -> None:
    if isinstance(value, Seq):
        for element, where in zip(value, value.places, strict=True):
            into.put(element, where)
    else:
        into.put(value, place)


def _kind(value: Json) -> Literal["objects", "arrays", "plain values"]:
    return "objects" if isinstance(value, dict) else "arrays" if isinstance(value, list) else "plain values"
