"""x-dhatu.schema.json and the policies of the IR say the same."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema_rs
import pytest
from codegen.project import REPOSITORY
from dhatu_codegen.ir.operation import Job, Pagination, TokenTrade
from dhatu_codegen.ir.policy import (
    Cache,
    Cors,
    Fallback,
    Networks,
    Policy,
    RateLimit,
    Validate,
    WebSocket,
)
from dhatu_codegen.ir.upstream import (
    Adaptive,
    Balance,
    Breaker,
    Concurrency,
    Connections,
    Ejection,
    Hash,
    HealthCheck,
    Hedge,
    RetryBudget,
    Subset,
)

SCHEMA: dict[str, Any] = json.loads((REPOSITORY / "spec/x-dhatu.schema.json").read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]


def fields(of: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(of)}


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


def test_every_policy_can_be_written_on_an_operation() -> None:
    policies = fields(Policy) - {"idempotency", "tries"}  # parts of `retry`
    assert set(DEFINITIONS["operation"]["properties"]) == policies | {"sdk", "sunset"}
    assert set(DEFINITIONS["root"]["properties"]) == set(DEFINITIONS["operation"]["properties"])
    # Retry follows the method; a default for all would call a POST safe. That of `cors` stands beside,
    # and no API is nothing but WebSockets.
    defaults = set(DEFINITIONS["platform"]["properties"]["defaults"]["properties"])
    assert defaults == policies - {"retry", "hedge", "cors", "websocket"}


@pytest.mark.parametrize(
    ("definition", "of"),
    [
        (DEFINITIONS["limit"], RateLimit),
        (DEFINITIONS["breaker"], Breaker),
        (DEFINITIONS["hedge"], Hedge),
        (DEFINITIONS["balance"], Balance),
        (DEFINITIONS["balance"]["properties"]["hash"], Hash),
        (DEFINITIONS["balance"]["properties"]["subsets"]["items"], Subset),
        (DEFINITIONS["health"], HealthCheck),
        (DEFINITIONS["ejection"], Ejection),
        (DEFINITIONS["retry_budget"], RetryBudget),
        (DEFINITIONS["concurrency"], Concurrency),
        (DEFINITIONS["concurrency"]["properties"]["adaptive"], Adaptive),
        (DEFINITIONS["connections"], Connections),
        (DEFINITIONS["cache"], Cache),
        (DEFINITIONS["cors"], Cors),
        (DEFINITIONS["networks"], Networks),
        (DEFINITIONS["websocket"], WebSocket),
        (DEFINITIONS["fallback"], Fallback),
        (DEFINITIONS["validate"], Validate),
        (DEFINITIONS["sdk"]["properties"]["paginate"], Pagination),
        (DEFINITIONS["sdk"]["properties"]["tokens"], TokenTrade),
        (DEFINITIONS["sdk"]["properties"]["job"], Job),
    ],
)
def test_every_part_of_a_policy_can_be_written(definition: dict[str, Any], of: Any) -> None:
    short = {"request"} if of is Validate else set[str]()  # for all of its parts
    assert set(definition["properties"]) == fields(of) | short
    assert definition["additionalProperties"] is False


def test_what_an_editor_completes_is_described() -> None:
    silent = [
        name
        for name, definition in DEFINITIONS.items()
        if "description" not in definition and "$ref" not in definition
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("paginate", "allowed"),
    [
        ({"items": "a"}, False),
        ({"cursor": "b", "items": "a"}, True),
        ({"style": "cursor", "items": "a"}, False),
        ({"style": "page", "items": "a"}, True),
        ({"style": "spiral", "cursor": "b", "items": "a"}, False),
    ],
)
def test_a_cursor_is_needed_where_pages_are_asked_for_by_cursor(
    paginate: dict[str, str], allowed: bool
) -> None:
    valid = jsonschema_rs.is_valid(SCHEMA, {"sdk": {"paginate": paginate}})
    assert valid is allowed
