"""The components of an API as TypeScript knows them: their names, in requests and in answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, Literal, TypeAlias

from ...ir.api import Api
from ...ir.operation import Operation, Payload
from ...ir.schema import Json, Object, Property, Ref, Schema
from ..circles import circles_of
from ..schemas import Schemas, direct_references, nested
from ..taken import Taken
from .discriminators import tags_of
from .identifiers import RESERVED_TYPES, type_name

Side: TypeAlias = Literal["answer", "input"]
"""answer: what the server sends, without what is writeOnly; input: what a caller passes, without what is
readOnly."""
MAX_CIRCLE: Final = 32
"""Aliases that are one another; what stands behind more of them is anything."""
_BODILESS: Final = frozenset({"204", "205"})


class Components:
    """All that types and shapes are written from; made once for each API."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.schemas = Schemas(api)
        self.mentions: Mapping[str, tuple[str, ...]] = {
            key: _mentioned([component.schema]) for key, component in self.schemas.components.items()
        }
        taken = Taken(RESERVED_TYPES, separator="", mark="Model")
        self._names = {
            key: taken.give(type_name(component.name)) for key, component in self.schemas.components.items()
        }
        self.two_sided = self._two_sided()
        """The components that a request may hold and that are not the same there as in an answer."""
        self._inputs = {key: taken.give(f"{self._names[key]}Input") for key in sorted(self.two_sided)}

    def name(self, key: str, side: Side = "answer") -> str:
        """The type of a component on one side; its shape has the name that it has in answers."""
        return self._inputs.get(key, self._names[key]) if side == "input" else self._names[key]

    @cached_property
    def tags(self) -> Mapping[str, Mapping[str, tuple[Json, ...]]]:
        """Component to discriminator to the values that stand for the component."""
        inline = [schema for schemas in (self._sent, self._answers) for schema in schemas]
        written = [*(component.schema for component in self.schemas.components.values()), *inline]
        return tags_of(self.schemas, written)

    @cached_property
    def direct_circles(self) -> list[tuple[str, ...]]:
        """The components, each after those that it is or may be; those that are one another together."""
        return circles_of(self._direct)

    @cached_property
    def circles(self) -> Mapping[str, int]:
        """The components that are one another, which no alias can say, to a number of their circle."""
        return {
            key: number
            for number, circle in enumerate(self.direct_circles)
            if len(circle) > 1 or any(key in self._direct[key] for key in circle)
            for key in circle
        }

    @cached_property
    def _direct(self) -> dict[str, tuple[str, ...]]:
        return {
            key: direct_references(component.schema) for key, component in self.schemas.components.items()
        }

    @cached_property
    def answered(self) -> frozenset[str]:
        """The components that successful answers hold, at any depth."""
        return self._reachable(self._answers)

    @cached_property
    def _answers(self) -> list[Schema]:
        return [schema for operation in self.api.operations for schema in answers_of(operation)]

    @cached_property
    def _sent(self) -> list[Schema]:
        found: list[Schema] = []
        for operation in self.api.operations:
            payloads = operation.body.payloads if operation.body is not None else ()
            found += [parameter.schema for parameter in operation.parameters]
            found += [payload.schema for payload in payloads if payload.schema is not None]
        return found

    def _two_sided(self) -> frozenset[str]:
        users: dict[str, list[str]] = {key: [] for key in self.mentions}
        for key, mentioned in self.mentions.items():
            for other in mentioned:
                users[other].append(key)
        waiting = [key for key, found in self.schemas.components.items() if _is_one_sided(found.schema)]
        differ: set[str] = set()
        while waiting:
            key = waiting.pop()
            if key not in differ:
                differ.add(key)
                waiting += users[key]
        return frozenset(differ) & self._reachable(self._sent)

    def _reachable(self, inline: Iterable[Schema]) -> frozenset[str]:
        found: set[str] = set()
        waiting = list(_mentioned(inline))
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += self.mentions[key]
        return frozenset(found)


def answers_of(operation: Operation) -> Iterator[Schema]:
    """What the answers that a caller of an operation waits for are read as."""
    for response in operation.expected:
        if response.status not in _BODILESS and operation.method != "HEAD":
            yield from (schema for payload in response.payloads if (schema := _read(payload)) is not None)


def is_left_out(member: Property, side: Side) -> bool:
    """Whether a member is only the other side's."""
    return member.schema.write_only if side == "answer" else member.schema.read_only


def _read(payload: Payload) -> Schema | None:
    return payload.schema if payload.kind not in ("text", "binary") else None


def _mentioned(schemas: Iterable[Schema]) -> tuple[str, ...]:
    found = (part.component for schema in schemas for part in nested(schema) if isinstance(part, Ref))
    return tuple(dict.fromkeys(found))


def _is_one_sided(schema: Schema) -> bool:
    return any(
        member.schema.read_only or member.schema.write_only
        for part in nested(schema)
        if isinstance(part, Object)
        for member in part.properties
    )
