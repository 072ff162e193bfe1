"""Roles that do not fit together, and operations that nobody could call."""

from __future__ import annotations

from textwrap import dedent

import pytest
from codegen.project import OPERATION, Project

SECURED = """\
security: [{bearer: ["things:read"]}, {bearer: ["things:admin"]}]
x-dhatu: {roles: [reader]}
"""
SCHEMES = """\
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
"""
GOOD = """\
roles:
  reader: {description: Looks., scopes: ["things:read"]}
  owner: {inherits: [reader], scopes: ["things:admin"]}
"""


@pytest.fixture
def platform(project: Project) -> Project:
    indented = "".join(f"      {line}\n" for line in SECURED.splitlines())
    project.simple("alpha", "/alpha", more=indented + SCHEMES)
    return project


def found(project: Project, roles: str) -> list[tuple[str, str]]:
    project.platform(dedent(roles))
    return [(code, place) for code, place in project.found() if code in ("DH048", "DH049")]


def test_a_role_holds_all_that_it_inherits(platform: Project) -> None:
    platform.platform(GOOD + "  head: {inherits: [owner]}\n")
    reader, owner, head = platform.api().roles
    assert (reader.holds, reader.scopes) == (("reader",), ("things:read",))
    assert (owner.holds, owner.scopes) == (("owner", "reader"), ("things:admin", "things:read"))
    assert (head.holds, head.scopes) == (("head", "owner", "reader"), ("things:admin", "things:read"))


def test_a_platform_without_roles_may_give_any_scope(platform: Project) -> None:
    assert found(platform, "") == []
    assert platform.api().roles == ()


@pytest.mark.parametrize(
    ("edit", "code", "place"),
    [
        (("inherits: [reader]", "inherits: [raeder]"), "DH048", "spec/platform.yaml:7:22"),
        (("reader: {", "reader: {inherits: [owner], "), "DH048", "spec/platform.yaml:6:23"),
        (("owner: {inherits: [reader]", "owner: {inherits: [owner]"), "DH048", "spec/platform.yaml:7:22"),
        (('["things:admin"]', '["things:admin", "things:raed"]'), "DH048", "spec/platform.yaml:7:56"),
        (("  reader: {", "  viewer: {"), "DH048", "spec/services/alpha.yaml:15:25"),
        ((', scopes: ["things:admin"]', ""), "DH049", "spec/services/alpha.yaml:14:55"),
    ],
)
def test_what_does_not_fit_is_an_error_where_it_is_written(
    platform: Project, edit: tuple[str, str], code: str, place: str
) -> None:
    assert edit[0] in GOOD
    assert (code, place) in found(platform, GOOD.replace(*edit))


TIERS = """\
tiers:
  partners: {roles: [partner], limits: [{name: day, limit: 9, window_s: 60}]}
  others: {limits: [{name: day, limit: 5, window_s: 60}]}
"""


def test_a_tier_of_a_role_that_is_not_described(platform: Project) -> None:
    assert found(platform, GOOD + TIERS) == [("DH048", "spec/platform.yaml:9:22")]
    assert found(platform, GOOD + "  partner: {description: Pays.}\n" + TIERS) == []


def test_a_limit_of_a_role_that_is_not_described_is_told_once(project: Project) -> None:
    limit = "{name: a, limit: 5, window_s: 1, roles: [raeder]}"
    more = f"x-dhatu: {{rate_limit: [{limit}]}}\n"
    operation = OPERATION.format(id="one", tag="alpha"), OPERATION.format(id="two", tag="alpha")
    paths = f"paths:\n  /one:\n    get:\n{operation[0]}  /two:\n    get:\n{operation[1]}"
    project.service("alpha", more + paths)
    roles = "roles: {reader: {description: Looks.}}\n"
    assert found(project, roles) == [("DH048", "spec/services/alpha.yaml:4:65")]


def test_roles_that_fit_are_left_alone(platform: Project) -> None:
    assert found(platform, GOOD) == []
