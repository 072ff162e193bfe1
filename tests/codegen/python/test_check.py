"""What the Python SDK does not honour is said, at the line where somebody wrote it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from codegen.project import Project
from dhatu_codegen.targets.python import PythonTarget

SPEC = """\
paths:
  /things#frag:
    get:
      operationId: get
      tags: [things]
      summary: A summary
      description: A description.
      security: [{first: [], second: []}]
      parameters:
        - {name: Accept, in: header, schema: {type: string}}
        - {name: X-Mark, in: header, schema: {type: string}}
        - {name: x-mark, in: header, schema: {type: string}}
        - {name: deep, in: query, style: deepObject, schema: {type: array, items: {type: string}}}
        - {name: one, in: query, style: pipeDelimited, explode: false, schema: {type: string}}
        - name: many
          in: query
          style: spaceDelimited
          explode: true
          schema: {$ref: "#/components/schemas/Many"}
        - {name: shut, in: query, style: deepObject, explode: false, schema: {type: object}}
        - {name: nested, in: query, schema: {type: array, items: {type: array, items: {type: string}}}}
        - {name: fine, in: query, style: deepObject, explode: true, schema: {type: object}}
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, properties: {file: {type: string, format: binary}}}
            encoding:
              file: {headers: {X-Rate: {schema: {type: integer}}}}
      responses:
        "204":
          description: Done.
          content: {text/plain: {schema: {type: string}}}
        default: {description: Failed.}
components:
  schemas:
    Many: {type: array, items: {type: string}}
  securitySchemes:
    first: {type: http, scheme: digest}
    second: {type: http, scheme: bearer}
"""
EXPECTED = {
    "DH080": ["the header Accept is no argument"],
    "DH081": [
        "the parameter deep: the style deepObject says nothing of an array",
        "the parameter one: the style pipeDelimited says nothing of a single value",
        "the parameter many: the style spaceDelimited says nothing of explode: true",
        "the parameter shut: the style deepObject says nothing of explode: false",
        "the parameter nested: the style form cannot carry arrays or objects inside of others",
    ],
    "DH082": ["x-mark and X-Mark are one header"],
    "DH083": ["the SDK sends no header X-Rate with the part file"],
    "DH084": ["things.get needs first and second together, but both are authorization"],
    "DH085": ["the HTTP scheme digest of first answers a challenge"],
    "DH087": ["a fragment is never sent"],
    "DH088": ["an answer of status 204 has no content"],
}


def test_every_loss_has_its_line(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.service("things", SPEC)
    found = [
        diagnostic
        for diagnostic in project.build((PythonTarget(),)).diagnostics.all
        if diagnostic.code.startswith("DH08")
    ]
    lines = (tmp_path / "spec/services/things.yaml").read_text(encoding="utf-8").splitlines()
    for code, messages in EXPECTED.items():
        own = [diagnostic for diagnostic in found if diagnostic.code == code]
        assert len(own) == len(messages), own
        for diagnostic, message in zip(own, messages, strict=True):
            assert diagnostic.message.startswith(message)
            words = (
                message.split()[2].rstrip(":"),
                "file:",
                "get:",
                "first:",
                "x-mark",
                "/things#frag",
                '"204":',
            )
            assert any(word in lines[diagnostic.source.line - 1] for word in words), diagnostic
    assert {diagnostic.code for diagnostic in found} == EXPECTED.keys()


def test_a_server_without_an_address_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.simple("things", "/things")
    servers = (
        "{url: /relative}",
        '{url: "https://{region}.test"}',
        '{url: "https://{a}.test", variables: {a: {default: b}}}',
        '{url: "{scheme}://a.test", variables: {scheme: {default: https}}}',
    )
    counts = []
    for server in servers:
        project.platform(dedent(f"servers: [{server}]\n"))
        all_found = project.build((PythonTarget(),)).diagnostics.all
        counts.append([found.message for found in all_found if found.code == "DH086"])
    assert counts == [
        ["the server /relative is relative: the SDK does not know where the document was"],
        ["a variable of the server https://{region}.test has no default"],
        [],
        [],
    ]
