"""What an operator changes about policies at run time, in the words of `x-dhatu`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

ALL: Final = "*"
"""In the place of an operation: all of the service."""
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_MOST = 1_000_000_000
_DAY_S = 86_400.0

Count = Annotated[int, Field(ge=1, le=_MOST)]
Seconds = Annotated[float, Field(gt=0, le=_DAY_S)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange:
    """What is not said stays; as in all of these a zero stands for that."""

    __pydantic_config__ = _STRICT
    failure_rate: Annotated[float, Field(gt=0, le=1)] = 0.0
    window_s: Seconds = 0.0
    min_calls: Count = 0
    consecutive: Count = 0
    open_s: Seconds = 0.0
    half_open_calls: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """Of one rate limit."""

    __pydantic_config__ = _STRICT
    name: Annotated[str, Field(min_length=1)] = ""
    """Which of them, where the operation has several."""
    limit: Count = 0
    window_s: Seconds = 0.0
    burst: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryChange:
    """How often the gateway tries; whether it may is for the specification to say."""

    __pydantic_config__ = _STRICT
    attempts: Annotated[int, Field(ge=1, le=10)] = 0
    per_try_timeout_s: Seconds = 0.0


NO_BREAKER = BreakerChange()
NO_RETRY = RetryChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationChange:
    """Of one operation, or of all of a service."""

    __pydantic_config__ = _STRICT
    timeout_s: Seconds = 0.0
    rate_limit: LimitChange | tuple[LimitChange, ...] = ()
    breaker: BreakerChange = NO_BREAKER
    retry: RetryChange = NO_RETRY

    @property
    def limits(self) -> tuple[LimitChange, ...]:
        return self.rate_limit if isinstance(self.rate_limit, tuple) else (self.rate_limit,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """Of one service."""

    __pydantic_config__ = _STRICT
    breaker: BreakerChange = NO_BREAKER
    """Of the whole service."""
    operations: Mapping[str, OperationChange] = field(default_factory=dict[str, OperationChange])
    """By their names; `*` for all of them, which what is said of one comes after."""


NO_POLICY = PolicyChange()
_CHANGE = TypeAdapter(PolicyChange)


def parse_policy(members: dict[str, Any]) -> PolicyChange:
    """Read what a JSON document says about policies; raises `ValueError` that names each problem.

    >>> parse_policy({"operations": {"*": {"timeout_s": 2}}}).operations["*"].timeout_s
    2.0
    """
    try:
        change = _CHANGE.validate_json(orjson.dumps(members))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise ValueError(
            "; ".join(f"{_place(detail['loc'])}: {detail['msg']}" for detail in details)
        ) from error
    limits = change.operations.get(ALL, OperationChange()).limits
    if limits:
        raise ValueError("operations.*.rate_limit: must be said of one operation, by its name")
    return change


def _place(location: tuple[int | str, ...]) -> str:
    """Without what pydantic tells of a union."""
    return ".".join(str(part) for part in location if not str(part).startswith(("LimitChange", "tuple[")))
