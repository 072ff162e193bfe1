"""The formats of a report of problems."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from codegen.project import Project
from dhatu_codegen.cli import app
from dhatu_codegen.diagnostics import Diagnostics, Related
from dhatu_codegen.formats import Format, report
from dhatu_codegen.ir.source import SourceRef
from typer.testing import CliRunner

POSITION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["physicalLocation"],
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "message": {"$ref": "#/$defs/message"},
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["uri"],
                    "properties": {
                        "uri": {"type": "string", "format": "uri-reference"},
                        "uriBaseId": {"const": "SRCROOT"},
                    },
                },
                "region": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["startLine", "startColumn"],
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "startColumn": {"type": "integer", "minimum": 1},
                    },
                },
            },
        },
    },
}
"""Location objects, SARIF 2.1.0 section 3.28."""

RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "shortDescription", "help", "defaultConfiguration"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": {"$ref": "#/$defs/message"},
        "help": {"type": "object", "required": ["text"], "properties": {"text": {"minLength": 1}}},
        "defaultConfiguration": {"properties": {"level": {"$ref": "#/$defs/level"}}},
    },
}
"""ReportingDescriptor objects, section 3.49."""

RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ruleId", "ruleIndex", "level", "message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"$ref": "#/$defs/level"},
        "message": {"$ref": "#/$defs/message"},
        "locations": {"type": "array", "items": POSITION, "uniqueItems": True},
        "relatedLocations": {"type": "array", "items": POSITION, "uniqueItems": True},
    },
}
"""Result objects, section 3.27."""

SARIF: dict[str, Any] = {
    "$defs": {
        "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
        "level": {"enum": ["none", "note", "warning", "error"]},
    },
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"properties": {"driver": {"properties": {"rules": {"items": RULE}}}}},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""What SARIF 2.1.0 requires of the members that are written here, closed against all others."""


@pytest.fixture
def diagnostics() -> Diagnostics:
    found = Diagnostics()
    place = SourceRef(file="spec/a b.yaml", line=3, column=5, pointer="/paths")
    other = SourceRef(file="https://a.test/b.yaml", line=1, column=2, pointer="")
    found.remember("spec/a b.yaml", "one\ntwo\nab: cd\n")
    found.add("DH031", "100% taken:\nhere", place, related=[Related(message="first", source=other)])
    found.add("DH040", "no summary", other, hint="write one")
    found.add("DH052", "another name", SourceRef(file="", line=1, column=1, pointer=""))
    return found


def test_json_holds_everything_that_is_known(diagnostics: Diagnostics) -> None:
    read = json.loads(report(diagnostics, Format.JSON))
    assert read["version"] == 1
    assert read["counts"] == {"error": 1, "warning": 1, "note": 1}
    assert [item["code"] for item in read["diagnostics"]] == ["DH052", "DH040", "DH031"]
    assert read["diagnostics"][2] == {
        "code": "DH031",
        "severity": "error",
        "title": "the same operationId twice",
        "message": "100% taken:\nhere",
        "file": "spec/a b.yaml",
        "line": 3,
        "column": 5,
        "pointer": "/paths",
        "hint": "",
        "related": [
            {"message": "first", "file": "https://a.test/b.yaml", "line": 1, "column": 2, "pointer": ""}
        ],
    }


def test_sarif_has_the_structure_of_the_standard(diagnostics: Diagnostics) -> None:
    read = json.loads(report(diagnostics, Format.SARIF))
    validator = jsonschema_rs.Draft202012Validator(SARIF, validate_formats=True)
    assert [error.message for error in validator.iter_errors(read)] == []
    (run,) = read["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["DH052", "DH040", "DH031"]
    assert [result["level"] for result in run["results"]] == ["note", "warning", "error"]
    assert "locations" not in run["results"][0]
    artifact = run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "spec/a%20b.yaml", "uriBaseId": "SRCROOT"}
    (related,) = run["results"][2]["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"] == {"uri": "https://a.test/b.yaml"}
    assert related["message"] == {"text": "first"}


def test_workflow_commands_escape_what_would_end_them(diagnostics: Diagnostics) -> None:
    note, warning, error = report(diagnostics, Format.GITHUB).splitlines()
    assert note == (
        "::notice line=1,col=1,title=DH052%3A an operation whose name is taken%2C and which gets another"
        "::another name"
    )
    assert warning.startswith("::warning file=https%3A//a.test/b.yaml,line=1,col=2,")
    assert warning.endswith("::no summary%0Ahint: write one")
    assert error == (
        "::error file=spec/a b.yaml,line=3,col=5,title=DH031%3A the same operationId twice"
        "::100%25 taken:%0Ahere%0Ahttps://a.test/b.yaml:1:2 first"
    )


def test_text_is_coloured_only_where_it_is_asked_for(diagnostics: Diagnostics) -> None:
    plain = report(diagnostics, Format.TEXT)
    assert "\x1b" not in plain
    assert plain.endswith("1 error, 1 warning, 1 note")
    coloured = report(diagnostics, Format.TEXT, colour=True)
    assert "\x1b[1;31merror[DH031]\x1b[0m" in coloured
    assert "\x1b[1;36mnote[DH052]\x1b[0m" in coloured


def test_a_report_without_problems_is_empty_or_a_whole_document() -> None:
    nothing = Diagnostics()
    assert report(nothing, Format.TEXT) == report(nothing, Format.GITHUB) == ""
    assert json.loads(report(nothing, Format.JSON))["diagnostics"] == []
    assert json.loads(report(nothing, Format.SARIF))["runs"][0]["results"] == []


def test_generate_prints_nothing_but_the_report_on_standard_output(project: Project) -> None:
    project.simple("alpha", "/alpha", more="x-dhatu: {timeout: 5}\n")
    ran = CliRunner().invoke(app, ["generate", "--check", "--root", str(project.root), "--format", "json"])
    assert ran.exit_code == 1
    assert [item["code"] for item in json.loads(ran.stdout)["diagnostics"]] == ["DH010"]
