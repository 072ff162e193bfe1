"""What schemas say in a normal form: frameworks write the same in many ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, cast
from urllib.parse import unquote

MAX_HOPS: Final = 16
"""References, and schemas within `allOf`, that are followed from one place."""
MAX_NAMES: Final = 500
"""Properties, alternatives or values of one schema that are looked at."""
_UNSURE: Final = frozenset(
    {"if", "not", "patternProperties", "dependentSchemas", "unevaluatedProperties", "propertyNames"}
)
"""With these beside it, a list of properties is not all that there is to say."""
_OF_VALUES: Final[Mapping[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A schema, and where it is in its document."""

    schema: object
    pointer: str

    def under(self, *names: str) -> str:
        return "".join([self.pointer, *(f"/{escaped(name)}" for name in names)])


@dataclass(slots=True, kw_only=True)
class Shape:
    """What is sure about a schema."""

    pointer: str
    types: frozenset[str] = frozenset()
    """Without null, and without integer where any number may be; none where nobody knows."""
    properties: dict[str, Place] = field(default_factory=dict[str, Place])
    required: set[str] = field(default_factory=set[str])
    items: Place | None = None
    is_sure: bool = True
    """Whether `properties` are all that it names."""


def escaped(name: str) -> str:
    """A name as part of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


class Document:
    """An OpenAPI document whose references are followed, those to other documents not."""

    def __init__(self, root: object) -> None:
        self._root = root

    def at(self, pointer: str) -> Place | None:
        """What is there; None where nothing is."""
        found = self._root
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                found = cast(Any, found)[int(name) if isinstance(found, list) else name]
            except (KeyError, IndexError, TypeError, ValueError):
                return None
        return Place(schema=found, pointer=pointer)

    def followed(self, place: Place | None) -> Place | None:
        """The end of a chain of references; None where there is none."""
        for _ in range(MAX_HOPS):
            if place is None or not isinstance(place.schema, dict):
                return None
            reference: object = cast(dict[str, Any], place.schema).get("$ref")
            if reference is None:
                return place
            place = self._target(reference)
        return None

    def shape(self, place: Place) -> Shape:
        """The normal form of a schema."""
        end = self.followed(place)
        shape = Shape(pointer=place.pointer if end is None else end.pointer)
        for hops, part in enumerate(self._parts(place), start=1):
            if part is None or hops > MAX_HOPS:
                return Shape(pointer=shape.pointer, is_sure=False)
            self._add(shape, part)
        return shape

    def _target(self, reference: object) -> Place | None:
        is_here = isinstance(reference, str) and reference.startswith("#/")
        return self.at(unquote(str(reference)[1:])) if is_here else None

    def _parts(self, place: Place) -> Iterator[Place | None]:
        """All schemas that hold together at a place; None for one that cannot be read."""
        waiting, seen = [place], set[str]()
        while waiting:
            part = waiting.pop()
            if part.pointer in seen:
                continue
            seen.add(part.pointer)
            if not isinstance(part.schema, dict):
                yield part if part.schema is True else None
                continue
            schema = cast(dict[str, Any], part.schema)
            if "$ref" in schema:
                target = self._target(schema["$ref"])
                if target is None:
                    yield None
                    continue
                waiting.append(target)
            yield part
            waiting += _places(part, "allOf", _listed(schema, "allOf"))
            for word in ("anyOf", "oneOf"):
                others = _alternatives(schema, word)
                waiting += _places(part, word, others) if len(others) == 1 else []

    def _add(self, shape: Shape, part: Place) -> None:
        if not isinstance(part.schema, dict):
            return
        schema = cast(dict[str, Any], part.schema)
        types = self._types(part, schema)
        shape.types = (shape.types & types) or shape.types or types
        for name, one in _members(schema.get("properties")):
            shape.properties.setdefault(name, Place(schema=one, pointer=part.under("properties", name)))
        shape.required |= {name for _, name in _listed(schema, "required") if isinstance(name, str)}
        if shape.items is None and isinstance(schema.get("items"), dict):
            shape.items = Place(schema=schema["items"], pointer=part.under("items"))
        many = len(shape.properties) >= MAX_NAMES or len(shape.required) >= MAX_NAMES
        several = many or any(len(_alternatives(schema, word)) > 1 for word in ("anyOf", "oneOf"))
        if several or _UNSURE & schema.keys():
            shape.is_sure = False

    def _types(self, part: Place, schema: Mapping[str, Any]) -> frozenset[str]:
        said: object = schema.get("type")
        if isinstance(said, str):
            return _types([said])
        if isinstance(said, list):
            return _types(str(one) for one in cast(list[object], said))
        if "const" in schema or isinstance(schema.get("enum"), list):
            values: list[object] = schema["enum"] if "enum" in schema else [schema["const"]]
            return _types(_OF_VALUES[type(value)] for value in values[:MAX_NAMES] if value is not None)
        for word in ("anyOf", "oneOf"):
            if len(found := _alternatives(schema, word)) > 1:
                return self._any_of(_places(part, word, found))
        return frozenset({"object"} if isinstance(schema.get("properties"), dict) else ())

    def _any_of(self, places: list[Place]) -> frozenset[str]:
        """Of alternatives that say so themselves; what is deeper is not sure enough to be worth the way."""
        each: list[frozenset[str]] = []
        for place in places:
            end = self.followed(place)
            said: object = cast(dict[str, Any], end.schema).get("type") if end is not None else None
            each.append(_types([said]) if isinstance(said, str) else frozenset())
        return _types(name for types in each for name in types) if all(each) else frozenset()


def _types(names: Iterable[str]) -> frozenset[str]:
    found = frozenset(names) - {"null"}
    return found - {"integer"} if "number" in found else found


def _places(part: Place, word: str, found: Iterable[tuple[int, object]]) -> list[Place]:
    return [Place(schema=one, pointer=part.under(word, str(number))) for number, one in found]


def _alternatives(schema: Mapping[str, Any], word: str) -> list[tuple[int, object]]:
    return [(number, one) for number, one in _listed(schema, word) if not _is_null(one)]


def _is_null(schema: object) -> bool:
    return isinstance(schema, dict) and cast(dict[str, Any], schema).get("type") == "null"


def _listed(schema: Mapping[str, Any], word: str) -> list[tuple[int, object]]:
    found: object = schema.get(word)
    return list(enumerate(cast(list[object], found)[:MAX_NAMES])) if isinstance(found, list) else []


def _members(found: object) -> list[tuple[str, object]]:
    return list(islice(cast(dict[str, object], found).items(), MAX_NAMES)) if isinstance(found, dict) else []
