"""The document that models are made from: every component, and the inline schemas that need a class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...ir.api import Api
from ...ir.name import Name
from ...ir.schema import Ref, Schema
from ...ir.source import SourceRef
from ..schemas import Schemas, nested
from ..taken import Taken
from .identifiers import RESERVED_CLASSES, class_name
from .schema_writer import JsonSchema, Named, SchemaWriter, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """Components, and what arguments and answers asked for, as JSON Schema."""

    schemas: dict[str, JsonSchema]
    """By class name."""
    unions: dict[str, str]
    """Alias of a union of known variants to the class of a variant that a newer server added."""
    sent: dict[str, Sent]
    """By class name, of every object."""
    arguments: tuple[str, ...]
    """The classes and aliases that arguments name."""


class ModelDocument:
    """Collects what is mentioned and gives out class names; every component has its own from the start."""

    def __init__(self, api: Api) -> None:
        self.schemas = Schemas(api)
        self._operations = api.operations
        self._taken = Taken(RESERVED_CLASSES, separator="", mark="Model")
        self._names = {
            key: self._taken.give(class_name(component.name))
            for key, component in self.schemas.components.items()
        }
        self._components: dict[str, bool] = {}
        self._inline: dict[tuple[str, SourceRef], Named] = {}
        self._arguments: set[str] = set()

    def mention(self, key: str, *, answer: bool) -> str:
        """The class of a component; `answer` says that it is read and not only sent."""
        self._components[key] = self._components.get(key, False) or answer
        return self._given(self._names[key], answer=answer)

    def hoist(self, schema: Schema, wanted: str, *, answer: bool) -> str:
        """A class of its own for an inline schema; the same one when asked again."""
        known = self._inline.get((wanted, schema.source))
        if known is None:
            name = self._taken.give(class_name(Name.of(wanted)))
            known = Named(name=name, schema=schema, answer=answer)
            self._inline[wanted, schema.source] = known
        return self._given(known.name, answer=answer)

    def finish(self) -> Mentioned:
        """Write out every component and everything that was mentioned.

        A component that no request needs counts as read: a webhook may bring it.
        """
        for key in self.schemas.components.keys() - self._components.keys() - self._sent():
            self._components[key] = True
        answers = self._reachable(
            (key for key, answer in self._components.items() if answer),
            (inline.schema for inline in self._inline.values() if inline.answer),
        )
        writer = SchemaWriter(self.schemas, self._names, self._taken, answers, self._inline.values())
        for key in self.schemas.components:
            writer.ask(key)
        writer.write()
        return Mentioned(
            schemas=dict(sorted(writer.written.items())),
            unions=writer.unions,
            sent=writer.sent,
            arguments=tuple(sorted(self._arguments)),
        )

    def _given(self, name: str, *, answer: bool) -> str:
        if not answer:
            self._arguments.add(name)
        return name

    def _sent(self) -> frozenset[str]:
        """The components that parameters and bodies mention, at any depth."""
        inline: list[Schema] = []
        for operation in self._operations:
            payloads = operation.body.payloads if operation.body is not None else ()
            inline += [parameter.schema for parameter in operation.parameters]
            inline += [payload.schema for payload in payloads if payload.schema is not None]
        return self._reachable((), inline)

    def _reachable(self, keys: Iterable[str], inline: Iterable[Schema]) -> frozenset[str]:
        """The components that schemas mention, at any depth."""
        found: set[str] = set()
        waiting = list(keys)
        waiting += [key for schema in inline for key in _references(schema)]
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += _references(self.schemas.components[key].schema)
        return frozenset(found)


def _references(schema: Schema) -> list[str]:
    return [part.component for part in nested(schema) if isinstance(part, Ref)]
