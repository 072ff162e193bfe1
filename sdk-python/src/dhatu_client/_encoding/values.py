"""Python values as JSON ones: what parameters and JSON bodies are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_origin

from .._call import Omit
from .._errors import ArgumentError

if TYPE_CHECKING:
    import pydantic

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


def to_json(value: object, *, where: str) -> bytes:
    """`value` as compact JSON in UTF-8; `where` names it in errors."""
    try:
        text = json.dumps(value, default=simplify, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"{where} cannot be written as JSON: {error}") from error


def to_plain(value: object) -> Plain:
    """`value` in nothing but JSON's own types."""
    if isinstance(value, Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        return {str(name): to_plain(item) for name, item in members.items()}
    return to_plain(simplify(value))


def simplify(value: object) -> object:
    """One step towards JSON, as `json.dumps` asks for it: a model gives its members, a date its text.

    Raises `ArgumentError` where there is no such step.
    """
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, Set):
        return list(cast("Set[object]", value))
    if isinstance(value, Omit):
        raise ArgumentError("OMIT stands for an argument that is left out; it cannot be part of a value")
    import pydantic  # slow to import, and rarely needed to send something
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    if isinstance(value, pydantic.RootModel):
        return cast("pydantic.RootModel[object]", value).root
    if isinstance(value, pydantic.BaseModel):
        return _members(value)

    try:
        return to_jsonable_python(value)
    except PydanticSerializationError as error:
        raise ArgumentError(
            f"a value of type {type(value).__module__}.{type(value).__qualname__} has no JSON form"
        ) from error


def _members(model: pydantic.BaseModel) -> dict[str, Any]:
    """The members that were set, under their wire names, and the constants that tell variants apart."""
    members: dict[str, Any] = {}
    unknown = model.model_extra or {}
    for name, field in type(model).model_fields.items():
        if name in unknown and getattr(model, name) is None:
            continue  # an unknown member is called so, and pydantic takes this one for set as well
        if name in model.model_fields_set or get_origin(field.annotation) is Literal:
            alias = field.serialization_alias or field.alias or name
            value = getattr(model, name)
            if value is not None or name in model.model_fields_set:
                members[alias] = value
    members.update(unknown)
    return members
