"""Members of answers by their names on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import pydantic


def member(value: object, way: str) -> Any:
    """What stands at `meta.next_cursor` in a model, however deep; None where a step leads nowhere."""
    for step in way.split("."):
        if isinstance(value, pydantic.BaseModel):
            value = getattr(value, _names(type(value)).get(step, step), None)
        elif isinstance(value, Mapping):
            value = cast("Mapping[str, object]", value).get(step)
        else:
            return None
    return value


@cache
def _names(kind: type[pydantic.BaseModel]) -> dict[str, str]:
    """Name on the wire to name in Python."""
    return {field.alias or name: name for name, field in kind.model_fields.items()}
