"""The components of an API as TypeScript knows them: their names, in requests and in answers."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ...ir.api import Api
from ..schemas import Schemas
from ..taken import Taken
from .identifiers import RESERVED_TYPES, type_name

Side: TypeAlias = Literal["answer", "input"]
"""answer: what the server sends, without what is writeOnly; input: what a caller passes, without what is
readOnly."""


class Components:
    """All that types and shapes are written from; made once for each API."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.schemas = Schemas(api)
        taken = Taken(RESERVED_TYPES, separator="", mark="Model")
        self._names = {
            key: taken.give(type_name(component.name)) for key, component in self.schemas.components.items()
        }

    def name(self, key: str, side: Side = "answer") -> str:
        """The type of a component on one side; its shape has the name that it has in answers."""
        return self._names[key]
