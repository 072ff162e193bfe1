"""What a case leaves behind, in the words of its `expected`."""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from .server import Arrival

Outcome = dict[str, Any]
"""As `case.schema.json` describes it under `outcome`."""


@dataclass
class Record:
    """Everything that can be seen of a client from outside."""

    arrivals: list[Arrival]
    sleeps: list[float] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def listen(self, event: Any) -> None:
        """Is told what happens to the calls."""
        self.events.append({"type": type(event).__name__, **dataclasses.asdict(event)})


def value_of(value: Any) -> Any:
    """What a call returned, as JSON; a model with what was set, under the names of the wire."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list):
        return [value_of(item) for item in value]
    return value


def outcome_of(value: Any) -> Outcome:
    """How a call ended that returned a whole answer."""
    if value is None:
        return {"empty": True}
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return {"text": value} if isinstance(value, str) else {"json": value_of(value)}


def raw_outcome(response: Any) -> Outcome:
    """How a call ended whose answer was asked for with all that came."""
    names = ("status", "attempts", "request_id", "media_type")
    head = {name: getattr(response, name) for name in names} | {"headers": dict(response.headers)}
    value = response.parse()
    return outcome_of(response.content if hasattr(value, "save") else value) | {"answer": head}


def refusal(package: ModuleType, error: BaseException) -> Outcome:
    """How a call ended that raised; everything else than an error of the SDK goes on."""
    if not isinstance(error, package.LibraryError):
        raise error
    found: dict[str, Any] = {"class": type(error).__name__, "message": str(error), "shown": repr(error)}
    for name in (
        "operation",
        "status",
        "attempts",
        "retry_after_s",
        "request_id",
        "algorithm",
        "state",
        "reason",
    ):
        if hasattr(error, name):
            found[name] = getattr(error, name)
    if isinstance(error, package.APIStatusError):
        found["problem"] = {
            name: getattr(error.problem, name)
            for name in ("type", "title", "detail", "instance", "extensions")
        }
        found["fields"] = [dataclasses.asdict(part) for part in error.errors]
    return {"error": found}
