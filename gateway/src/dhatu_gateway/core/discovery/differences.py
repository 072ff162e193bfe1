"""Where a service's own document contradicts the specification of an operation.

Only what is sure is told: a framework leaves much out, and writes what it says in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from dhatu_gateway.core.discovery.shapes import Document, Place, Shape
from dhatu_gateway.core.types import MediaType, Route

MOST: Final = 50
"""Differences of a service that are told."""
DEEPEST: Final = 8
MOST_PLACES: Final = 5_000
"""Schemas of a service that are looked at."""

Direction = Literal["request", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One contradiction."""

    operation: str
    """Method and path as they are specified."""
    pointer: str
    """Into the service's document."""
    specified: str
    served: str


class Enough(Exception):
    """There is more than is told, or looked at."""


class Comparison:
    """Holds operations of one service against their specification, and collects what differs."""

    def __init__(self, served: Document) -> None:
        self._served = served
        self._places = 0
        self.found: list[Difference] = []
        self._operation = ""
        self._specified = Document(None)

    def compare(self, route: Route, specified: object, place: Place) -> None:
        """`specified` is the document that the route points into; raises `Enough`."""
        self._operation = f"{route.method} {route.path}"
        self._specified = Document(specified)
        if isinstance(place.schema, dict):
            operation = cast(dict[str, Any], place.schema)
            self._parameters(route, operation, place)
            self._body(route, operation, place)
            self._answers(route, operation, place)

    def _tell(self, pointer: str, specified: str, served: str) -> None:
        if len(self.found) == MOST:
            raise Enough
        self.found.append(
            Difference(operation=self._operation, pointer=pointer, specified=specified, served=served)
        )

    def _parameters(self, route: Route, operation: Mapping[str, Any], place: Place) -> None:
        """Those of the query by both sides' names; headers and cookies where both name them."""
        # A handler that reads the query by itself has none that its framework could name.
        path_item = place.pointer.rpartition("/")[0]
        served = {
            **dict(self._named(path_item)),
            **dict(self._named(place.pointer)),
        }
        names_some = any(location == "query" for location, _ in served)
        for parameter in route.parameters:
            location, name = parameter.location, parameter.name
            if location == "path":
                continue
            found = served.pop(_key(location, name), None)
            shown = f"{location} parameter {name}"
            if found is None:
                if location == "query" and names_some:
                    self._tell(place.pointer, shown, "no such parameter")
                continue
            said = cast(dict[str, Any], found.schema)
            if location == "query" and bool(said.get("required")) != parameter.required:
                needs = _needs(parameter.required), _needs(bool(said.get("required")))
                self._tell(found.pointer, f"{shown}: {needs[0]}", needs[1])
            if "schema" in said and not parameter.content_type:
                schema = Place(schema=said["schema"], pointer=found.under("schema"))
                self._schemas(parameter.schema, schema, "request")
        for (where, name), left in served.items():
            if where == "query" and cast(dict[str, Any], left.schema).get("required"):
                self._tell(left.pointer, "no such parameter", f"query parameter {name}: required")

    def _named(self, pointer: str) -> Iterator[tuple[tuple[str, str], Place]]:
        listed = self._served.at(f"{pointer}/parameters")
        if listed is None or not isinstance(listed.schema, list):
            return
        for number, one in enumerate(cast(list[object], listed.schema)):
            found = self._served.followed(Place(schema=one, pointer=listed.under(str(number))))
            if found is not None:
                said = cast(dict[str, Any], found.schema)
                yield _key(str(said.get("in")), str(said.get("name"))), found

    def _body(self, route: Route, operation: Mapping[str, Any], place: Place) -> None:
        found = None
        if "requestBody" in operation:
            body = Place(schema=operation["requestBody"], pointer=place.under("requestBody"))
            found = self._served.followed(body)
        said = cast(dict[str, Any], found.schema) if found is not None else {}
        if route.body is None:
            if found is not None and said.get("required"):
                self._tell(found.pointer, "no request body", "request body: required")
        elif found is not None:  # frameworks say nothing of a body that a handler reads by itself
            if route.body.required != bool(said.get("required")) and said.get("required"):
                self._tell(found.pointer, "request body: optional", "required")
            self._content(route.body.media_types, found, "request")

    def _answers(self, route: Route, operation: Mapping[str, Any], place: Place) -> None:
        """Of success: refusals come from the gateway and from frameworks, too."""
        responses: object = operation.get("responses")
        if not route.answers or not isinstance(responses, dict):
            return
        served = {
            status: found
            for status, one in cast(dict[str, object], responses).items()
            if (found := self._said_answer(place, status, one)) is not None
        }
        wanted = {answer.status: answer for answer in route.answers if answer.status.startswith("2")}
        theirs = {status for status in served if status.startswith("2")}
        exact = all(status.isdigit() for status in wanted.keys() | theirs)
        if exact and wanted and theirs and not wanted.keys() & theirs:
            told = ", ".join(sorted(wanted)), ", ".join(sorted(theirs))
            self._tell(place.under("responses"), f"status {told[0]}", f"status {told[1]}")
        for status in sorted(wanted.keys() & theirs):
            self._content(wanted[status].media_types, served[status], "answer")

    def _said_answer(self, place: Place, status: str, said: object) -> Place | None:
        """An answer that somebody has described; None for what frameworks write where nobody has."""
        found = self._served.followed(Place(schema=said, pointer=place.under("responses", status)))
        if found is None:
            return None
        content: object = cast(dict[str, Any], found.schema).get("content")
        nothing_said: tuple[object, ...] = ({"application/json": {"schema": {}}}, {"application/json": {}})
        return None if content in nothing_said else found

    def _content(self, wanted: Sequence[MediaType], place: Place, direction: Direction) -> None:
        content: object = cast(dict[str, Any], place.schema).get("content")
        if not isinstance(content, dict) or not content or not wanted:
            return
        served = {
            name.partition(";")[0].strip().lower(): (name, said)
            for name, said in cast(dict[str, object], content).items()
        }
        by_name = {media.media_type: media for media in wanted}
        anything = any("*" in name for name in by_name.keys() | served.keys())
        if not anything and not by_name.keys() & served.keys():
            told = ", ".join(sorted(by_name)), ", ".join(sorted(served))
            self._tell(place.under("content"), f"media type {told[0]}", f"media type {told[1]}")
        for name in sorted(by_name.keys() & served.keys()):
            written, said = served[name]
            if by_name[name].schema and isinstance(said, dict) and "schema" in said:
                pointer = place.under("content", written, "schema")
                schema = Place(schema=cast(dict[str, Any], said)["schema"], pointer=pointer)
                self._schemas(by_name[name].schema, schema, direction)

    def _schemas(self, pointer: str, served: Place, direction: Direction) -> None:
        specified = self._specified.at(pointer)
        if specified is not None:
            self._pair(specified, served, direction, frozenset())

    def _pair(
        self, specified: Place, served: Place, direction: Direction, above: frozenset[tuple[str, str]]
    ) -> None:
        self._places += 1
        if self._places > MOST_PLACES:
            raise Enough
        mine, theirs = self._specified.shape(specified), self._served.shape(served)
        pair = (mine.pointer, theirs.pointer)
        if pair in above or len(above) == DEEPEST:
            return
        sent, taken = (mine, theirs) if direction == "request" else (theirs, mine)
        if mine.types and theirs.types and not _within(sent.types, taken.types):
            self._tell(theirs.pointer, _typed(mine.types), _typed(theirs.types))
            return
        inner = above | {pair}
        if mine.properties and theirs.properties and mine.is_sure and theirs.is_sure:
            self._properties(mine, theirs, direction)
        for name in sorted(mine.properties.keys() & theirs.properties.keys()):
            self._pair(mine.properties[name], theirs.properties[name], direction, inner)
        if mine.items is not None and theirs.items is not None:
            self._pair(mine.items, theirs.items, direction, inner)

    def _properties(self, mine: Shape, theirs: Shape, direction: Direction) -> None:
        for name in sorted(mine.properties.keys() | theirs.properties.keys()):
            one, other = mine.properties.get(name), theirs.properties.get(name)
            if _one_way(one) or _one_way(other):
                continue
            needs = _needs(name in mine.required), _needs(name in theirs.required)
            if other is None:
                self._tell(theirs.pointer, f"property {name}: {needs[0]}", "no such property")
            elif one is None:
                self._tell(other.pointer, "no such property", f"property {name}: {needs[1]}")
            elif needs[0] == needs[1] or _has_default(one) or _has_default(other):
                continue
            elif direction == "request" or needs[0] == "required":
                self._tell(other.pointer, f"property {name}: {needs[0]}", needs[1])


def _typed(types: frozenset[str]) -> str:
    return f"type {' or '.join(sorted(types))}"


def _key(location: str, name: str) -> tuple[str, str]:
    return location, name.lower() if location == "header" else name


def _within(sent: frozenset[str], taken: frozenset[str]) -> bool:
    """Whether whoever takes it is ready for all that is sent."""
    return sent <= taken | ({"integer"} if "number" in taken else set())


def _needs(required: bool) -> str:
    return "required" if required else "optional"


def _one_way(place: Place | None) -> bool:
    """Whether it is there on one of the two ways only."""
    said = cast(dict[str, Any], place.schema) if place and isinstance(place.schema, dict) else {}
    return bool(said.get("readOnly") or said.get("writeOnly"))


def _has_default(place: Place) -> bool:
    """What has one is required by some frameworks, and optional by others."""
    return isinstance(place.schema, dict) and "default" in cast(dict[str, Any], place.schema)


class Contract:
    """What is specified, for whoever is held against it."""

    def __init__(self, routes: Sequence[Route], document_of: Callable[[Route], object]) -> None:
        """`document_of` gives the document that a route points into."""
        self._routes = routes
        self._document_of = document_of

    def differences(
        self, served: object, pointer_of: Callable[[Route], str | None]
    ) -> tuple[tuple[Difference, ...], bool]:
        """Those of the operations that are served, and whether there are more.

        `pointer_of` says where an operation is in the document of the service; None where it is not.
        """
        document = Document(served)
        comparison = Comparison(document)
        try:
            for route in self._routes:
                pointer = pointer_of(route)
                place = None if pointer is None else document.at(pointer)
                if place is not None:
                    comparison.compare(route, self._document_of(route), place)
        except Enough:
            return tuple(comparison.found), True
        return tuple(comparison.found), False
