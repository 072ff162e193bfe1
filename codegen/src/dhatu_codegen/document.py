"""JSON values that remember where somebody wrote them, and a cursor over them.

`Map` and `Seq` are dicts and lists with places beside their members, so a value that the merge moves into
another document still knows its file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from .ir.schema import Json
from .ir.source import SourceRef
from .pointer import escape, tokens

Places: TypeAlias = tuple[SourceRef, SourceRef]
"""Where the key stands, and where its value begins."""

_NOWHERE: Final = SourceRef(file="", line=1, column=1, pointer="")


class Map(dict[str, Json]):
    """A JSON object with the place of every key and value."""

    __slots__ = ("places", "source")

    def __init__(self, source: SourceRef) -> None:
        super().__init__()
        self.source = source
        self.places: dict[str, Places] = {}

    def put(self, key: str, value: Json, places: Places | None = None) -> None:
        """Set a member; without `places` it counts as written where this object was."""
        self[key] = value
        self.places[key] = places or (self.source, self.source)

    def take(self, other: Map, key: str) -> None:
        """Set a member from another object, its places included."""
        self.put(key, other[key], other.places[key])


class Seq(list[Json]):
    """A JSON array with the place of every element."""

    __slots__ = ("places", "source")

    def __init__(self, source: SourceRef) -> None:
        super().__init__()
        self.source = source
        self.places: list[SourceRef] = []

    def put(self, value: Json, place: SourceRef) -> None:
        self.append(value)
        self.places.append(place)


def plain(value: Json) -> Json:
    """A copy without places, for libraries that insist on dict and list themselves."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return [plain(element) for element in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value inside a document, with its pointer there and the place where it was written."""

    value: Json
    pointer: str
    """JSON Pointer in the document that is being walked: after the merge not the one it was written in."""
    source: SourceRef
    """Where its key stands, or the value itself where it has no key."""
    place: SourceRef
    """Where the value begins."""

    @classmethod
    def of(cls, document: Mapping[str, Json]) -> Node:
        """The root of a document; one that was not loaded has no places to remember."""
        source = document.source if isinstance(document, Map) else _NOWHERE
        value = document if isinstance(document, dict) else dict(document)
        return cls(value=value, pointer="", source=source, place=source)

    def get(self, key: str) -> Node | None:
        """The member `key` of an object; None where there is none."""
        if not isinstance(self.value, dict) or key not in self.value:
            return None
        known = self.value.places.get(key) if isinstance(self.value, Map) else None
        source, place = known or (self.place, self.place)
        return Node(
            value=self.value[key], pointer=f"{self.pointer}/{escape(key)}", source=source, place=place
        )

    def members(self) -> Iterator[tuple[str, Node]]:
        """Every member of an object, in document order; none where the value is no object."""
        for key in self.value if isinstance(self.value, dict) else ():
            member = self.get(key)
            if member is not None:
                yield key, member

    def elements(self) -> Iterator[Node]:
        """Every element of an array; none where the value is no array."""
        for index, value in enumerate(self.value if isinstance(self.value, list) else ()):
            place = self.value.places[index] if isinstance(self.value, Seq) else self.place
            yield Node(value=value, pointer=f"{self.pointer}/{index}", source=place, place=place)

    def at(self, pointer: str) -> Node | None:
        """What a JSON Pointer relative to this node leads to; None where it leads nowhere."""
        node: Node | None = self
        for token in tokens(pointer):
            if node is None:
                return None
            node = node.step(token)
        return node

    def step(self, token: str) -> Node | None:
        """The member or element that one token of a JSON Pointer names."""
        if isinstance(self.value, list):
            within = token.isdecimal() and int(token) < len(self.value)
            return list(self.elements())[int(token)] if within else None
        return self.get(token)

    def text(self, key: str, default: str = "") -> str:
        """A string member, or the default where it is absent or no string."""
        member = self.get(key)
        return member.value if member is not None and isinstance(member.value, str) else default

    def flag(self, key: str, default: bool = False) -> bool:
        """A boolean member, or the default where it is absent or no boolean."""
        member = self.get(key)
        return member.value if member is not None and isinstance(member.value, bool) else default

    def texts(self, key: str) -> tuple[str, ...]:
        """The strings of an array member."""
        member = self.get(key)
        return tuple(e.value for e in member.elements() if isinstance(e.value, str)) if member else ()

    def written_at(self, source: SourceRef) -> Node:
        """This node, named at another place: a reference is followed, the target keeps its value."""
        return replace(self, source=source)
