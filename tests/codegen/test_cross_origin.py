"""`cors` of platform.yaml and of x-dhatu: the nearest word about a part counts, and bad rules are refused."""

from __future__ import annotations

import dataclasses

import pytest
from codegen.project import Project
from dhatu_codegen.diff.rules.gateway import compared
from dhatu_codegen.ir.policy import Cors

PLATFORM = "cors: {allow_origins: ['*'], allow_headers: [A], expose_headers: [B], max_age_s: 60}\n"
OUTER = Cors(allow_origins=("*",), allow_headers=("A",), expose_headers=("B",), max_age_s=60)


def write(project: Project, own: str | None, platform: str = PLATFORM) -> None:
    project.simple("alpha", "/alpha")
    if own is not None:
        file = project.root / "spec/services/alpha.yaml"
        text = file.read_text()
        file.write_text(
            text.replace("      responses:\n", f"      x-dhatu: {{cors: {own}}}\n      responses:\n")
        )
    project.platform(platform)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, OUTER),
        ("{}", OUTER),
        ("null", Cors()),
        ("{allow_origins: []}", dataclasses.replace(OUTER, allow_origins=())),
        (
            "{allow_origins: ['https://a.example'], allow_credentials: true, max_age_s: 5}",
            dataclasses.replace(
                OUTER, allow_origins=("https://a.example",), allow_credentials=True, max_age_s=5
            ),
        ),
    ],
)
def test_the_nearest_word_about_a_part_counts(project: Project, own: str | None, expected: Cors) -> None:
    write(project, own)
    api = project.api()
    [operation] = api.operations
    assert (operation.policy.cors, api.cors) == (expected, OUTER)


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("{allow_credentials: true}", "allow_origins has '*' where credentials are allowed"),
        (
            "{allow_origins: ['https://a.example'], allow_headers: ['*'], allow_credentials: true}",
            "allow_headers has '*' where credentials are allowed",
        ),
        (
            "{allow_origins: ['https://a.example'], expose_headers: ['*'], allow_credentials: true}",
            "expose_headers has '*' where credentials are allowed",
        ),
        ('{allow_origins: ["null"]}', "the origin 'null' is nobody's in particular"),
        *(
            (f"{{allow_origins: ['{origin}']}}", f"'{origin}' is not an origin as browsers send it")
            for origin in (
                *("https://a.example/", "https://a.example/x", "https://A.example", "a.example", "https://"),
                *("https://*.example", "https://a.example:443", "http://a.example:80", "https://u@a.example"),
            )
        ),
    ],
)
def test_rules_that_no_browser_obeys_are_refused_where_they_stand(
    project: Project, own: str, text: str
) -> None:
    write(project, own)
    [found] = project.build().diagnostics.errors
    assert (found.code, text in found.message) == ("DH014", True)
    assert found.source.file == "spec/services/alpha.yaml"
    assert found.hint


def test_bad_rules_of_the_platform_are_reported_once_and_there(project: Project) -> None:
    write(project, "{max_age_s: 1}", "cors: {allow_origins: ['null', 'https://a.example:8443']}\n")
    [found] = project.build().diagnostics.errors
    assert (found.code, found.source.file) == ("DH014", "spec/platform.yaml")


@pytest.mark.parametrize("own", ["{allow_origin: []}", "{allow_headers: ['A B']}", "{max_age_s: -1}", "[]"])
def test_what_the_schema_does_not_know_is_refused(project: Project, own: str) -> None:
    write(project, own)
    assert {found.code for found in project.build().diagnostics.errors} <= {"DH010", "DH011"}
    assert project.build().diagnostics.errors


@pytest.mark.parametrize(
    "headers",
    [
        "{X-Content-Type-Option: nosniff}",
        '{Referrer-Policy: ""}',
        '{Referrer-Policy: "a\\r\\nSet-Cookie: b"}',
    ],
)
def test_security_headers_are_known_ones_and_one_line(project: Project, headers: str) -> None:
    write(project, None, f"security_headers: {headers}\n")
    assert {found.code for found in project.build().diagnostics.errors} <= {"DH010", "DH011"}
    assert project.build().diagnostics.errors


def test_security_headers_reach_the_targets(project: Project) -> None:
    write(project, None, "security_headers: {X-Content-Type-Options: nosniff}\n")
    assert project.api().security_headers == (("X-Content-Type-Options", "nosniff"),)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"allow_origins": ("https://a.example",)}, ["DH236"]),
        ({"allow_headers": ("A", "C")}, ["DH219"]),
        ({"allow_headers": ()}, ["DH236"]),
        ({"expose_headers": ("*",)}, ["DH219"]),
        ({"allow_credentials": True}, ["DH219"]),
        ({"max_age_s": 1}, ["DH219"]),
    ],
)
def test_pages_that_could_call_and_no_longer_can_are_told_of(
    project: Project, change: dict[str, object], codes: list[str]
) -> None:
    write(project, None)
    [operation] = project.api().operations
    now = dataclasses.replace(operation.policy, cors=dataclasses.replace(OUTER, **change))  # type: ignore[arg-type]  # as the test says
    assert [code for code, _ in compared(operation.policy, now)] == codes
