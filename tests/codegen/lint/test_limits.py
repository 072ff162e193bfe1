"""Limits that cannot be counted are found where they are written."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from codegen.project import Project
from dhatu_codegen.ir.policy import RateLimit
from dhatu_codegen.lint.limits import faults
from dhatu_gateway.core import types as gateway
from dhatu_gateway.rate_limiting.algorithms import algorithm
from hypothesis import given
from hypothesis import strategies as st

UNCOUNTABLE = [
    "{limit: 5, window_s: 1, cost: 6}",
    "{limit: 9, burst: 5, window_s: 1, cost: 6}",
    "{limit: 1, burst: 1000000, window_s: 31536000}",
    "{algorithm: gcra, limit: 100000, window_s: 1}",
    "{algorithm: gcra, limit: 1, burst: 1000, window_s: 31536000}",
    "{algorithm: sliding_log, limit: 10001, window_s: 60}",
    "{algorithm: sliding_log, limit: 5, window_s: 60, cost: 6}",
    "{algorithm: sliding_window, limit: 1000000, window_s: 86400}",
    "{limit: 5, window_s: 0.0000001}",
    "{algorithm: concurrency, limit: 100001}",
    "{algorithm: concurrency, limit: 5, cost: 6}",
    "{algorithm: concurrency, limit: 500, cost: 101}",
]
UNCLEAR = [
    "{algorithm: sliding_log, limit: 5, window_s: 60, burst: 5}",
    "{algorithm: sliding_window, limit: 5, window_s: 60, burst: 5}",
    "{algorithm: quota, limit: 5, per: day, window_s: 60}",
    "{algorithm: quota, limit: 5, per: day, cost: 6}",
    "{algorithm: quota, limit: 9007199254740992, per: day}",
    "{algorithm: gcra, limit: 5, per: day, window_s: 60}",
    "{algorithm: concurrency, limit: 5, window_s: 60}",
    "{algorithm: concurrency, limit: 5, burst: 5}",
    "{algorithm: concurrency, limit: 5, per: day}",
    "{algorithm: concurrency, limit: 5, by: service, across: operation}",
    "{limit: 5, window_s: 1, by: service, across: operation}",
    "{limit: 5, window_s: 1, lease: 5, shadow: true}",
    "{limit: 5, window_s: 1, lease: 6}",
    "{limit: 5, window_s: 1, lease: 5, charge_refused: true}",
    "[{name: a, limit: 5, window_s: 1, lease: 5}, {name: b, limit: 9, window_s: 1}]",
    "{limit: 5, window_s: 1, by: header}",
    "{limit: 5, window_s: 1, header: X-Tenant}",
    "[{name: a, limit: 5, window_s: 1}, {name: a, limit: 9, window_s: 1}]",
]
FINE = [
    "{algorithm: concurrency, limit: 100000}",
    "{algorithm: concurrency, limit: 500, cost: 100, by: service, shadow: true, on_store_failure: closed}",
    "[{name: a, limit: 5, window_s: 1}, {name: b, algorithm: concurrency, limit: 5}]",
    "[{name: a, limit: 5, window_s: 1, lease: 5}, {name: b, limit: 9, window_s: 1, lease: 9}]",
    "{algorithm: quota, limit: 5, per: day}",
    "[{name: a, limit: 5, window_s: 1, roles: [x]}, {name: a, limit: 9, window_s: 1, except_roles: [x]}]",
    "{limit: 5, window_s: 1, by: service}",
    "{algorithm: sliding_log, limit: 10000, window_s: 60}",
    "{limit: 5, window_s: 1, by: header, header: X-Tenant}",
    "[{name: a, limit: 5, window_s: 1}, {name: b, algorithm: gcra, limit: 90000, window_s: 86400}]",
]


def written(project: Project, limit: str) -> list[tuple[str, str]]:
    project.simple("alpha", "/alpha", more=f"x-dhatu: {{rate_limit: {limit}}}\n")
    return [(code, place) for code, place in project.found() if code == "DH047"]


@pytest.mark.parametrize("limit", [*UNCOUNTABLE, *UNCLEAR])
def test_a_limit_that_cannot_be_counted_is_an_error_at_its_place(project: Project, limit: str) -> None:
    (found,) = written(project, limit)
    assert found == ("DH047", "spec/services/alpha.yaml:14:23")


@pytest.mark.parametrize("limit", FINE)
def test_others_are_left_alone(project: Project, limit: str) -> None:
    assert written(project, limit) == []


@pytest.mark.parametrize("setting", ["lease: 5", "charge_refused: true"])
def test_calls_under_way_are_neither_taken_ahead_nor_charged_for_refusals(
    project: Project, setting: str
) -> None:
    found = written(project, f"{{algorithm: concurrency, limit: 5, {setting}}}")
    assert found == [("DH047", "spec/services/alpha.yaml:14:23")] * 2, "it is not known, and it cannot be"


def test_a_lease_beside_calls_under_way_is_refused(project: Project) -> None:
    limits = "[{name: a, limit: 5, window_s: 1, lease: 5}, {name: b, algorithm: concurrency, limit: 5}]"
    assert written(project, limits) == [("DH047", "spec/services/alpha.yaml:14:23")]


def test_one_limit_of_a_list_is_named_at_its_own_place(project: Project) -> None:
    limits = "[{name: a, limit: 5, window_s: 1}, {name: b, limit: 5, window_s: 1, cost: 9}]"
    assert written(project, limits) == [("DH047", "spec/services/alpha.yaml:14:58")]


def test_a_limit_of_platform_yaml_is_named_at_the_operation(project: Project) -> None:
    project.simple("alpha", "/alpha")
    project.platform("defaults: {rate_limit: {limit: 5, window_s: 1, cost: 9}}\n")
    assert ("DH047", "spec/services/alpha.yaml:6:5") in project.found()


@pytest.mark.parametrize(
    "tiers",
    [
        "{free: {}}",
        "{free: {limits: []}}",
        "{free: {limits: [{limit: 5, window_s: 1}]}}",
        "{free: {limits: [{name: a, limit: 5, window_s: 1, by: service}]}}",
        "{free: {limits: [{name: a, limit: 5, window_s: 1, roles: [x]}]}}",
        "{free: {roles: [], limits: [{name: a, limit: 5, window_s: 1}]}}",
    ],
)
def test_what_the_schema_refuses_of_tiers(project: Project, tiers: str) -> None:
    project.simple("alpha", "/alpha")
    project.platform(f"tiers: {tiers}\n")
    assert "DH011" in [code for code, _ in project.found()]


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("[{limit: 5, window_s: 1}]", "DH011"),
        ("{limit: 5}", "DH011"),
        ("{algorithm: quota, limit: 5}", "DH011"),
        ("{algorithm: quota, limit: 5, per: week}", "DH011"),
        ("[{name: a, limit: 5, window: 1, window_s: 1}]", "DH010"),
        ("{algorithm: leaky, limit: 5, window_s: 1}", "DH011"),
        ("{limit: 5, window_s: 1, name: 'No \"quotes\"'}", "DH011"),
        ("{limit: 5, window_s: 1, by: header, header: 'X Tenant'}", "DH011"),
    ],
)
def test_what_the_schema_refuses(project: Project, limit: str, code: str) -> None:
    project.simple("alpha", "/alpha", more=f"x-dhatu: {{rate_limit: {limit}}}\n")
    assert code in [found for found, _ in project.found()]


LIMITS = st.builds(
    RateLimit,
    name=st.just("default"),
    algorithm=st.sampled_from(
        ["token_bucket", "gcra", "sliding_log", "sliding_window", "quota", "concurrency"]
    ),
    limit=st.integers(1, 10) | st.integers(1, 10**7),
    window_s=st.floats(1e-7, 1e9) | st.sampled_from([1.0, 60.0, 86_400.0]),
    per=st.sampled_from(["", "day", "month"]),
    burst=st.integers(1, 10) | st.integers(1, 10**7),
    cost=st.integers(1, 20) | st.integers(90, 110),
    lease=st.just(1),
    by=st.just("principal"),
    header=st.just(""),
    across=st.just("operation"),
    roles=st.just(()),
    except_roles=st.just(()),
    shadow=st.just(False),
    charge_refused=st.just(False),
    on_store_failure=st.just("local"),
)


@given(LIMITS)
def test_what_is_let_pass_is_what_the_gateway_can_count(limit: RateLimit) -> None:
    try:
        algorithm(gateway.RateLimit(**asdict(limit)))
    except ValueError:
        assert list(faults(limit)), "the gateway would not boot"
    else:
        assert not list(faults(limit)), "the gateway would count it"
