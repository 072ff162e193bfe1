"""`networks` of x-dhatu: from where an operation may be called."""

from __future__ import annotations

import dataclasses

import pytest
from codegen.project import Project
from dhatu_codegen.diff.rules.gateway import compared
from dhatu_codegen.ir.policy import Networks


def write(project: Project, own: str | None, defaults: str = "{}") -> None:
    project.simple("alpha", "/alpha")
    if own is not None:
        file = project.root / "spec/services/alpha.yaml"
        text = file.read_text()
        file.write_text(
            text.replace("      responses:\n", f"      x-dhatu: {{networks: {own}}}\n      responses:\n")
        )
    project.platform(f"defaults: {defaults}\n")


@pytest.mark.parametrize(
    ("own", "defaults", "expected"),
    [
        (None, "{}", None),
        ("{}", "{}", None),
        ("{allow: [10.0.0.0/8]}", "{}", Networks(allow=("10.0.0.0/8",), deny=())),
        ('{deny: ["2001:db8::/32"]}', "{}", Networks(allow=(), deny=("2001:db8::/32",))),
        (None, "{networks: {allow: [10.0.0.7]}}", Networks(allow=("10.0.0.7",), deny=())),
        ("null", "{networks: {allow: [10.0.0.7]}}", None),
    ],
)
def test_the_nearest_word_counts(
    project: Project, own: str | None, defaults: str, expected: Networks | None
) -> None:
    write(project, own, defaults)
    [operation] = project.api().operations
    assert operation.policy.networks == expected


@pytest.mark.parametrize(
    "network", ["10.1.2.3/8", "10.0.0.0/33", "office", "", "10.0.0.0-9", "::ffff:10.0.0.0/104", "fe80::/129"]
)
@pytest.mark.parametrize("key", ["allow", "deny"])
def test_what_is_no_network_is_refused_where_it_stands(project: Project, key: str, network: str) -> None:
    write(project, f"{{{key}: ['{network}']}}")
    [found] = project.build().diagnostics.errors
    assert (found.code, repr(network) in found.message) == ("DH015", True)
    assert found.source.file == "spec/services/alpha.yaml"


def test_a_bad_default_is_reported_once(project: Project) -> None:
    write(project, None, "{networks: {deny: [office]}}")
    [found] = project.build().diagnostics.errors
    assert (found.code, found.source.file) == ("DH015", "spec/platform.yaml")


def of(*allow: str, deny: tuple[str, ...] = ()) -> Networks:
    return Networks(allow=allow, deny=deny)


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        (None, of("10.0.0.0/8"), "DH236"),
        (None, of(deny=("10.0.0.0/8",)), "DH236"),
        (of("10.0.0.0/8"), of("10.0.0.0/8", "192.0.2.0/24"), "DH219"),
        (of("10.0.0.0/8", "192.0.2.0/24"), of("10.0.0.0/8"), "DH236"),
        (of("10.0.0.0/8"), of(deny=("192.0.2.0/24",)), "DH236"),
        (of(deny=("192.0.2.0/24",)), of(deny=()), "DH219"),
        (of("10.0.0.0/8"), None, "DH219"),
    ],
)
def test_callers_who_may_be_refused_from_now_on_are_told_of(
    project: Project, was: Networks | None, now: Networks | None, code: str
) -> None:
    write(project, None)
    [operation] = project.api().operations
    policies = [dataclasses.replace(operation.policy, networks=networks) for networks in (was, now)]
    assert [found for found, _ in compared(*policies)] == [code]
