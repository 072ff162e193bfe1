"""SARIF 2.1.0 (OASIS), which code scanners read."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote

from ..diagnostics import CODES, Diagnostic, Diagnostics, Severity
from ..explanations import explanation
from ..ir.schema import Json
from ..ir.source import SourceRef

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "note"}
_ROOT: Final = "SRCROOT"


def to_sarif(diagnostics: Diagnostics) -> str:
    """One run; its rules are the codes that were found, each with its explanation (section 3.49)."""
    found = diagnostics.all
    rules = sorted({item.code for item in found})
    driver: dict[str, Json] = {"name": "dhatu-codegen", "rules": [_rule(code) for code in rules]}
    run: dict[str, Json] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, rules.index(item.code)) for item in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rule(code: str) -> dict[str, Json]:
    severity, title = CODES[code]
    text = explanation(code) or title
    return {
        "id": code,
        "shortDescription": {"text": title},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(found: Diagnostic, rule: int) -> dict[str, Json]:
    text = f"{found.message}\nhint: {found.hint}" if found.hint else found.message
    result: dict[str, Json] = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": text},
    }
    if found.source.file:
        result["locations"] = [_location(found.source)]
    related: list[Json] = [
        {"id": index, "message": {"text": near.message}, **_location(near.source)}
        for index, near in enumerate(found.related)
        if near.source.file
    ]
    if related:
        result["relatedLocations"] = related
    return result


def _location(source: SourceRef) -> dict[str, Json]:
    # A file is named from the root of the repository, which the reader knows; an address is whole already.
    artifact: dict[str, Json] = (
        {"uri": source.file} if "://" in source.file else {"uri": quote(source.file), "uriBaseId": _ROOT}
    )
    region: dict[str, Json] = {"startLine": source.line, "startColumn": source.column}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}
