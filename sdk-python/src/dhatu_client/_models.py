"""What generated models extend, and how JSON becomes one."""

from __future__ import annotations

from typing import Any

import pydantic


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


def read_json(adapter: pydantic.TypeAdapter[Any], payload: bytes | str) -> Any:
    """A value as the server wrote it. Raises `pydantic.ValidationError`.

    JSON Schema converts nothing, so the strict way comes first: otherwise a variant that turns `"5"` into
    5 would be preferred to one that takes it as it is. What is left is 3.0 for an integer, which JSON Schema
    allows, and servers that are loose about types.

    Members are found by their wire names alone: an unknown one may be called what Python calls another.
    """
    try:
        return adapter.validate_json(payload, strict=True, by_alias=True, by_name=False)
    except pydantic.ValidationError:
        return adapter.validate_json(payload, by_alias=True, by_name=False)
