"""Each kind of mistake, at its exact place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from codegen.project import REPOSITORY, Project
from dhatu_codegen.diagnostics import CODES, Diagnostics
from dhatu_codegen.ir.source import SourceRef
from dhatu_codegen.targets.base import Unsupported
from dhatu_codegen.targets.gateway import GatewayTarget

SOURCES = REPOSITORY / "codegen" / "src" / "dhatu_codegen"


def test_a_problem_is_shown_beside_its_line_with_a_caret_and_a_hint(project: Project) -> None:
    project.simple("alpha", "/alpha", more="x-dhatu: {timeout: 5}\n")
    assert project.report() == (
        "spec/services/alpha.yaml:14:11 error[DH010] unknown key 'timeout'\n"
        "   14 | x-dhatu: {timeout: 5}\n"
        "      |           ^\n"
        "    hint: did you mean 'timeout_s'?"
    )


def test_related_places_follow_the_excerpt(project: Project) -> None:
    project.simple("alpha", "/alpha", id="same")
    project.simple("beta", "/beta", id="same")
    assert project.report().splitlines()[:4] == [
        "spec/services/beta.yaml:7:20 error[DH031] the operationId 'same' is taken",
        "    7 |       operationId: same",
        "      |                    ^",
        "    spec/services/alpha.yaml:7:20 stands here first",
    ]


def test_problems_come_in_the_order_of_their_places() -> None:
    diagnostics = Diagnostics()
    for file, line, column in (("b", 1, 1), ("a", 10, 1), ("a", 2, 9), ("a", 2, 1)):
        source = SourceRef(file=file, line=line, column=column, pointer="")
        diagnostics.add("DH020", "wrong", source)
        diagnostics.add("DH020", "wrong", source)
    assert [str(item.source) for item in diagnostics.all] == ["a:2:1", "a:2:9", "a:10:1", "b:1:1"]


def test_a_severity_can_be_switched_and_a_problem_switched_off() -> None:
    source = SourceRef(file="a", line=1, column=1, pointer="")
    diagnostics = Diagnostics()
    diagnostics.switch("DH040", "note")
    diagnostics.switch("DH041", None)
    for code in ("DH020", "DH040", "DH041"):
        diagnostics.add(code, "wrong", source)
    assert [(item.code, item.severity) for item in diagnostics.all] == [("DH020", "error"), ("DH040", "note")]
    assert [item.code for item in diagnostics.errors] == ["DH020"]
    assert diagnostics.render(diagnostics.all[1]) == "a:1:1 note[DH040] wrong"
    assert diagnostics.summary == "1 error, 1 note"


MISTAKES = [
    ("x-dhatu: {retry: {class: sometimes}}\n", "DH011", "14:26"),
    ("x-dhatu: {rate_limit: {limit: 5, window: 1, window_s: 1}}\n", "DH010", "14:34"),
    ("x-dhatu: {sdk: {method: everything}}\n", "DH010", "14:17"),
    ("components: {schemas: {A: {x-dhatu: {}}}}\n", "DH012", "14:28"),
    ("components: {schemas: {A: {$ref: '#/components/schemas/B'}}}\n", "DH022", "14:34"),
    ("components: {schemas: {A: {$ref: 'other.yaml#/B'}}}\n", "DH023", "14:34"),
    ("components: {schemas: {A: {$dynamicRef: '#a'}}}\n", "DH025", "14:28"),
    ("components: {schemas: {A: {nullable: true}}}\n", "DH026", "14:28"),
    ("components: {schemas: {A: {if: {}, then: {required: [a]}}}}\n", "DH090", "14:36"),
    ("components: {schemas: {A: {patternProperties: {^x: {type: string}}}}}\n", "DH090", "14:28"),
    ("components: {securitySchemes: {a: {type: none}}}\n", "DH020", "14:36"),
    ("components: {schemas: {A: {items: {type: strin}}}}\n", "DH020", "14:42"),
    ("components: {schemas: {A: {type: string, default: 4}}}\n", "DH042", "14:51"),
    ("parameter: []\n", "DH020", "14:1"),
]


@pytest.mark.parametrize(("more", "code", "place"), MISTAKES)
def test_a_mistake_is_found_where_it_stands(project: Project, more: str, code: str, place: str) -> None:
    project.simple("alpha", "/alpha", more=more)
    assert (code, f"spec/services/alpha.yaml:{place}") in project.found()


def test_a_reference_below_an_example_is_data(project: Project) -> None:
    more = "components: {schemas: {A: {examples: [{$ref: nowhere}], const: {$ref: nowhere}}}}\n"
    project.simple("alpha", "/alpha", more=more)
    assert project.found() == []


def test_a_property_may_be_called_example_or_default(project: Project) -> None:
    more = "components: {schemas: {A: {properties: {example: {$ref: '#/x'}, default: {$ref: '#/y'}}}}}\n"
    project.simple("alpha", "/alpha", more=more)
    assert [code for code, _ in project.found()] == ["DH022", "DH022"]


def test_a_dangling_reference_comes_with_the_nearest_name(project: Project) -> None:
    more = """\
    components:
      schemas:
        Document: {type: string}
        List: {type: array, items: {$ref: "#/components/schemas/Docment"}}
    """
    project.simple("alpha", "/alpha", more=more)
    assert "hint: did you mean 'Document'?" in project.report()


def test_invalid_openapi_is_refused_at_its_place(project: Project) -> None:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("tags: [alpha]", "tags: alpha"))
    assert project.found() == [("DH020", "spec/services/alpha.yaml:8:7")]


def test_another_version_of_openapi_is_refused(project: Project) -> None:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("3.1.1", "4.0.0"))
    assert project.found() == [("DH021", "spec/services/alpha.yaml:1:10")]


def test_a_missing_service_document_is_reported_where_the_platform_names_it(project: Project) -> None:
    project.simple("alpha", "/alpha")
    (project.root / "spec/services/alpha.yaml").unlink()
    assert project.found() == [("DH001", "spec/platform.yaml:4:17")]


def test_an_unknown_key_of_the_platform_is_refused(project: Project) -> None:
    project.simple("alpha", "/alpha")
    project.platform("corss: {allow_origins: []}\n")
    assert project.found() == [("DH010", "spec/platform.yaml:5:1")]
    assert "did you mean 'cors'?" in project.report()


def test_one_run_reports_what_is_wrong_in_several_documents(project: Project) -> None:
    project.simple("alpha", "/alpha", more="x-dhatu: {timeout: 5}\n")
    project.simple("beta", "/beta", more="components: {schemas: {A: {$ref: '#/nowhere'}}}\n")
    project.simple("gamma", "/gamma", id="delta")
    project.simple("delta", "/delta")
    (project.root / "spec/services/broken.yaml").write_text("a: [\n")
    project.service("broken", "a: [\n")
    assert [code for code, _ in project.found()] == ["DH010", "DH022", "DH002", "DH031"]


def test_two_operations_with_the_same_sdk_name_are_refused(project: Project) -> None:
    project.simple("alpha", "/alpha", id="getThing")
    project.simple("beta", "/beta", id="other", more="x-dhatu: {sdk: {resource: alpha}}\n")
    file = project.root / "spec/services/beta.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("      responses:", "      x-dhatu: {sdk: {method: get_thing}}\n      responses:")
    )
    (found,) = project.build().diagnostics.errors
    assert (found.code, str(found.source)) == ("DH033", "spec/services/beta.yaml:6:5")
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:6:5"]


def test_a_method_of_the_client_may_not_have_the_name_of_a_resource(project: Project) -> None:
    project.simple("alpha", "/alpha", id="list")
    project.simple("beta", "/beta", id="alpha", more="x-dhatu: {sdk: {resource: ''}}\n")
    assert [code for code, _ in project.found()] == ["DH033"]


class WithoutBreakers(GatewayTarget):
    """A gateway that lacks something; the real one has it all."""

    unsupported = (Unsupported(policy="breaker", asked_for=lambda policy: policy.breaker is not None),)


def test_a_policy_that_a_target_does_not_honour_is_a_warning(project: Project) -> None:
    project.simple("alpha", "/alpha", more="x-dhatu: {breaker: {}}\n")
    assert project.found() == []
    built = project.build((WithoutBreakers(),))
    assert [item.code for item in built.diagnostics.all] == ["DH013"]
    assert built.files != ()


def test_every_code_of_the_table_is_used_and_no_other() -> None:
    used: set[str] = set()
    for path in sorted(SOURCES.rglob("*.py")):
        if path.name not in ("diagnostics.py", "lint_codes.py"):
            used |= set(re.findall(r"\"(DH\d{3})\"", path.read_text(encoding="utf-8")))
    assert used == set(CODES)


def test_every_code_of_the_table_is_tested() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.rglob("test_*.py"))
    )
    assert {code for code in CODES if f'"{code}"' not in tests} == set()
