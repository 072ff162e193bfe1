"""What generated models extend, and how JSON becomes one."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self, TypeVar

import pydantic

T = TypeVar("T")

STRICT: Final = {"strict": True}
"""The context of a validation that keeps nothing that is not described."""


class BaseModel(pydantic.BaseModel):
    """A model that keeps members it does not know, so that a newer server can be read by an older client."""

    model_config = pydantic.ConfigDict(
        extra="allow",
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
        protected_namespaces=(),
        hide_input_in_errors=True,  # an answer may hold a credential
    )


class UnknownVariant(BaseModel):
    """Extended by the variant of a union that a newer server has added."""

    @pydantic.model_validator(mode="after")
    def _refuse_if_strict(self, info: pydantic.ValidationInfo) -> Self:
        if info.context is STRICT:
            raise ValueError("is a kind that the API's description does not know")
        return self


def _unlisted(value: T, info: pydantic.ValidationInfo) -> T:
    if info.context is STRICT:
        raise ValueError("is none of the values that the API's description lists")
    return value


UnlistedStr = Annotated[str, pydantic.AfterValidator(_unlisted)]
"""Beside `Literal[...]`: a value that a newer server has added to the list."""
UnlistedInt = Annotated[int, pydantic.AfterValidator(_unlisted)]


def read_json(adapter: pydantic.TypeAdapter[Any], payload: bytes | str, *, strict: bool = False) -> Any:
    """A value as the server wrote it; `strict` as of `CallOptions`. Raises `pydantic.ValidationError`.

    JSON Schema converts nothing, so the strict way comes first: otherwise a variant that turns `"5"` into
    5 would be preferred to one that takes it as it is. What is left is 3.0 for an integer, which JSON Schema
    allows, and servers that are loose about types.

    Members are found by their wire names alone: an unknown one may be called what Python calls another.
    """
    if strict:
        return adapter.validate_json(payload, strict=True, context=STRICT, by_alias=True, by_name=False)
    try:
        return adapter.validate_json(payload, strict=True, by_alias=True, by_name=False)
    except pydantic.ValidationError:
        return adapter.validate_json(payload, by_alias=True, by_name=False)
