"""The document as each side sees it: readOnly members are the service's to send, writeOnly the client's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias, cast

Side: TypeAlias = Literal["request", "answer"]

READ_ONLY: dict[str, Any] = {"not": {"$comment": "readOnly"}}
WRITE_ONLY: dict[str, Any] = {"not": {"$comment": "writeOnly"}}
"""Schemas that nothing satisfies, and that say why."""

_NESTING = 16
# By these keywords a document holds values, not schemas, unless they are names that somebody gave.
_VALUES = frozenset({"example", "examples", "default", "enum", "const", "x-dhatu"})
_NAMED = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "$defs", "schemas", "responses", "headers"}
)


def seen_from(document: dict[str, Any], side: Side) -> dict[str, Any]:
    """Return the document in which members that this side may not send are refused, and not required.

    The document itself where it has none. A member is found behind `$ref` and `allOf`; a schema that requires
    one which only another schema of the same `allOf` describes by reference still requires it.
    """
    keyword = "readOnly" if side == "request" else "writeOnly"
    if not _holds(document, keyword):
        return document
    return cast(dict[str, Any], _Sight(document, keyword).of(document, ""))


def _holds(value: Any, keyword: str) -> bool:
    waiting: list[Any] = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            members = cast(dict[str, Any], found)
            if members.get(keyword) is True:
                return True
            waiting += members.values()
        elif isinstance(found, list):
            waiting += found
    return False


class _Sight:
    def __init__(self, document: dict[str, Any], keyword: str) -> None:
        self._document = document
        self._keyword = keyword
        self._refused = READ_ONLY if keyword == "readOnly" else WRITE_ONLY

    def of(self, value: Any, key: str, hidden: frozenset[str] = frozenset()) -> Any:
        """Copy a part of the document; `key` is what it stands under, `hidden` what need not be there."""
        if isinstance(value, list):
            items = cast(Iterable[Any], value)
            return [self.of(item, "", hidden) for item in items]
        if not isinstance(value, dict):
            return value
        members = cast(dict[str, Any], value)
        if key in _NAMED:
            return {name: self.of(member, "") for name, member in members.items()}
        if not ({"properties", "allOf", "required"} & members.keys()):
            return {name: self._member(name, member) for name, member in members.items()}
        hidden |= frozenset(self._hidden(members, 0))
        seen = {
            name: self.of(member, name, hidden) if name == "allOf" else self._member(name, member)
            for name, member in members.items()
        }
        properties = members.get("properties")
        if isinstance(properties, dict):
            for name in hidden & properties.keys():
                seen["properties"][name] = self._refused
        if isinstance(members.get("required"), list):
            seen["required"] = [name for name in members["required"] if name not in hidden]
        return seen

    def _member(self, name: str, member: Any) -> Any:
        return member if name in _VALUES else self.of(member, name)

    def _hidden(self, schema: Any, depth: int) -> Iterator[str]:
        """Name the members that this side may not send, of a schema and all that it consists of."""
        if depth > _NESTING or not isinstance(schema, dict):
            return
        members = cast(dict[str, Any], schema)
        properties = members.get("properties")
        if isinstance(properties, dict):
            for name, member in cast(dict[str, Any], properties).items():
                if self._is_hidden(member, 0):
                    yield name
        for part in self._parts(members):
            yield from self._hidden(part, depth + 1)

    def _is_hidden(self, schema: Any, depth: int) -> bool:
        if depth > _NESTING or not isinstance(schema, dict):
            return False
        members = cast(dict[str, Any], schema)
        if members.get(self._keyword) is True:
            return True
        return any(self._is_hidden(part, depth + 1) for part in self._parts(members))

    def _parts(self, schema: dict[str, Any]) -> Iterator[Any]:
        if isinstance(schema.get("allOf"), list):
            yield from schema["allOf"]
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            yield self._target(reference[1:])

    def _target(self, pointer: str) -> Any:
        value: Any = self._document
        for token in pointer.split("/")[1:]:
            if not isinstance(value, dict):
                return None
            value = cast(dict[str, Any], value).get(token.replace("~1", "/").replace("~0", "~"))
        return value
