"""Policies that an operator changes at run time: what is said counts, all else is as specified."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.core.discovery.overrides import InvalidOverrides, parse_overrides
from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.core.upstream.policy import Breaker, Tries
from dhatu_gateway.overridden import overridden
from dhatu_gateway.table import Table, generated_table

TABLE = generated_table()
SERVICES = {service.name for service in TABLE.platform.services}


def changed(table: Table = TABLE, **documents: Any) -> Table:
    texts = {service: json.dumps(document).encode() for service, document in documents.items()}
    return overridden(table, parse_overrides(texts, SERVICES))


def route(table: Table, operation: str = "corpus.search") -> Route:
    [found] = [route for route in table.routes if route.operation == operation]
    return found


def with_limits(*limits: RateLimit) -> Table:
    changed_route = replace(route(TABLE), rate_limits=limits)
    others = [found for found in TABLE.routes if found.operation != "corpus.search"]
    return replace(TABLE, routes=(*others, changed_route))


PLAIN = route(TABLE).rate_limits[0]


def test_what_is_not_said_stays_as_it_is_specified() -> None:
    said = {
        "timeout_s": 1.5,
        "rate_limit": {"limit": 7},
        "breaker": {"open_s": 9},
        "retry": {"attempts": 1},
    }
    before = replace(
        TABLE, routes=tuple(replace(found, breaker=Breaker(min_calls=4)) for found in TABLE.routes)
    )
    table = changed(before, corpus={"operations": {"corpus.search": said}})
    found, specified = route(table), route(before)
    assert found.timeout_s == 1.5
    assert found.breaker == Breaker(min_calls=4, open_s=9)
    assert found.tries == Tries(attempts=1, per_try_timeout_s=specified.tries.per_try_timeout_s)
    [limit] = found.rate_limits
    assert limit == replace(PLAIN, limit=7, burst=limit.burst)
    others = [(one, other) for one, other in zip(table.routes, before.routes, strict=True) if one != found]
    assert all(one is other for one, other in others if one.operation != "corpus.search")
    assert table.platform == before.platform


def test_all_operations_of_a_service_can_be_meant_and_one_of_them_says_it_better() -> None:
    said = {"*": {"timeout_s": 2, "retry": {"attempts": 3}}, "corpus.search": {"timeout_s": 4}}
    table = changed(corpus={"operations": said})
    for found, specified in zip(table.routes, TABLE.routes, strict=True):
        if found.service != "corpus":
            assert found is specified
            continue
        assert found.timeout_s == (4 if found.operation == "corpus.search" else 2)
        if found.retry != "never":
            assert found.tries.attempts == 3
        else:
            assert found.tries == specified.tries


def test_the_breaker_of_a_service_begins_with_what_a_breaker_has() -> None:
    table = changed(corpus={"breaker": {"consecutive": 3}})
    breakers = {service.name: service.upstream.breaker for service in table.platform.services}
    assert breakers["corpus"] == Breaker(consecutive=3)
    assert breakers["analysis"] is None


def test_a_limit_keeps_its_figures_where_it_only_grows() -> None:
    """Its burst is the limit where nothing else was specified, so it grows along."""
    limit = replace(PLAIN, limit=10, burst=10)
    [found] = route(changed(with_limits(limit), corpus=limited({"limit": 20}))).rate_limits
    assert (found.limit, found.burst, found.name) == (20, 20, PLAIN.name)
    narrow = replace(PLAIN, limit=10, burst=3)
    [found] = route(changed(with_limits(narrow), corpus=limited({"limit": 20, "window_s": 5}))).rate_limits
    assert (found.limit, found.burst, found.window_s) == (20, 3, 5)


def test_of_several_limits_the_named_one_is_changed() -> None:
    table = with_limits(replace(PLAIN, name="slow"), replace(PLAIN, name="fast"))
    found = route(changed(table, corpus=limited([{"name": "fast", "limit": 3, "burst": 2}])))
    assert [(limit.name, limit.limit) for limit in found.rate_limits] == [("slow", PLAIN.limit), ("fast", 3)]


def test_without_overrides_the_table_is_the_specified_one_again() -> None:
    table = changed(corpus={"operations": {"*": {"timeout_s": 2}}})
    assert overridden(table, {}) is TABLE
    again = overridden(table, parse_overrides({"corpus": b'{"breaker": {"open_s": 1}}'}, SERVICES))
    assert route(again).timeout_s == route(TABLE).timeout_s


def limited(limit: object) -> dict[str, Any]:
    return {"operations": {"corpus.search": {"rate_limit": limit}}}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            {"operations": {"corpus.find": {}}},
            "operations.corpus.find: the service has no such operation",
        ),
        ({"operations": {"analysis.themes": {}}}, "the service has no such operation"),
        ({"operations": []}, "operations: Input should be"),
        ({"operations": {"*": {"timeout": 2}}}, "operations.*.timeout: Unexpected keyword argument"),
        ({"operations": {"*": {"timeout_s": 0}}}, "operations.*.timeout_s: Input should be greater than 0"),
        ({"operations": {"*": {"timeout_s": "2"}}}, "operations.*.timeout_s: Input should be a valid number"),
        ({"operations": {"*": {"breaker": None}}}, "operations.*.breaker: Input should be an object"),
        ({"operations": {"*": {"rate_limit": {"limit": 3}}}}, "must be said of one operation"),
        ({"breaker": {"failure_rate": 1.1}}, "breaker.failure_rate: Input should be less than or equal to 1"),
        ({"breaker": {"min_calls": True}}, "breaker.min_calls: Input should be a valid integer"),
        (limited({"limit": 0}), "rate_limit.limit: Input should be greater than or equal to 1"),
        (limited({"limit": 1.5}), "rate_limit.limit: Input should be a valid integer"),
        (limited({"name": "other", "limit": 3}), "rate_limit: must name one of its limits: default"),
        (limited([{"limit": 3, "burts": 1}]), "burts: Unexpected keyword argument"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(document: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidOverrides) as caught:
        changed(corpus=document)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said", "why"),
    [
        ({"across": "service"}, {"limit": 3}, "it counts calls of the whole service"),
        ({"algorithm": "quota", "per": "day", "window_s": 0}, {"window_s": 3}, "quota has no window_s"),
        ({"algorithm": "sliding_log"}, {"burst": 3}, "sliding_log has no burst"),
        ({"cost": 5}, {"limit": 3, "burst": 3}, "rate_limit.default: "),
    ],
)
def test_a_limit_takes_what_its_kind_has(fields: dict[str, Any], said: object, why: str) -> None:
    with pytest.raises(InvalidOverrides, match=why):
        changed(with_limits(replace(PLAIN, **fields)), corpus=limited(said))


@pytest.mark.parametrize("member", ["roles", "security", "networks", "validate", "max_body_bytes", "cors"])
def test_who_may_call_cannot_be_overridden(member: str) -> None:
    documents: list[dict[str, Any]] = [{"operations": {"corpus.search": {member: []}}}, {member: []}]
    for document in documents:
        with pytest.raises(InvalidOverrides, match=member):
            changed(corpus=document)


def test_every_problem_is_named() -> None:
    documents: dict[str, Any] = {
        "corpus": {"operations": {"corpus.a": {}, "corpus.b": {}}},
        "analysis": {"operations": {"analysis.c": {}}},
    }
    with pytest.raises(InvalidOverrides) as caught:
        changed(**documents)
    assert str(caught.value).count("no such operation") == 3


def test_tables_of_files_tell_changed_routes_from_others(tmp_path: Path) -> None:
    from dhatu_gateway.table import read_table
    from soak.tables import Versions

    Versions.of(routes=6, changing=0).write(tmp_path / "table.jsonl", 0)
    before = read_table(tmp_path / "table.jsonl")
    [first, *others] = before.routes
    texts = {first.service: json.dumps({"operations": {first.operation: {"timeout_s": 1.25}}}).encode()}
    after = overridden(before, parse_overrides(texts, {first.service}))
    assert after.key(after.routes[0]) != before.key(first)
    assert all(after.key(found) == before.key(found) for found in others)
