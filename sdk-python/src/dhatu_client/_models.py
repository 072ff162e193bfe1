"""What generated models extend."""

from __future__ import annotations

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
