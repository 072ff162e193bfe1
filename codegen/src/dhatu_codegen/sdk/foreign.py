"""What is wrong with a document of somebody else's, as far as code can be made of it all the same."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

import jsonschema_rs

from ..check import check_schemas
from ..diagnostics import Diagnostics
from ..document import Map, Node, plain
from ..pointer import join

TOLERATED: Final = (
    *("DH003", "DH004", "DH010", "DH011", "DH012", "DH020", "DH022", "DH025", "DH031", "DH042", "DH043"),
    "DH045",
)
"""Errors in a spec of our own, warnings in one that we can only take as it is."""


def check_foreign(document: Map, diagnostics: Diagnostics) -> bool:
    """Report what the OpenAPI schema and the JSON Schema of schemas refuse; False for no OpenAPI 3 at all."""
    root = Node.of(document)
    version = root.text("openapi")
    if not version.startswith("3.1"):
        node = root.get("openapi") or root.get("swagger") or root
        message = f"OpenAPI {version} is not read" if version else "this is no OpenAPI 3 document"
        diagnostics.add("DH021", message, node.place, hint="OpenAPI 3.0, 3.1 and 3.2 are read")
        return False
    for error in jsonschema_rs.Draft202012Validator(_openapi_schema()).iter_errors(plain(document)):
        at = root.at(join(*(str(token) for token in error.instance_path))) or root
        diagnostics.add("DH020", f"not valid OpenAPI: {_short(error.message)}", at.place)
    check_schemas(root, document, diagnostics)
    return True


def _openapi_schema() -> dict[str, object]:
    """The schema that the OpenAPI Initiative publishes for version 3.1, out of the reference validator."""
    path = files("openapi_spec_validator").joinpath("resources", "schemas", "v3.1", "schema.json")
    schema: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def _short(message: str) -> str:
    """A message that does not repeat half of the document."""
    limit = 160
    return message if len(message) <= limit else f"{message[: limit // 2]} ... {message[-limit // 2 :]}"
