"""Problems for programs.

    {"version": 1, "counts": {"error", "warning", "note"},
     "diagnostics": [{"code", "severity", "title", "message", "file", "line", "column", "pointer", "hint",
                      "related": [{"message", "file", "line", "column", "pointer"}]}]}

Lines and columns count from 1, columns in code points. `version` grows when a member changes its meaning or
goes, and not when one is added.
"""

from __future__ import annotations

import json
from collections import Counter

from ..diagnostics import CODES, SEVERITIES, Diagnostics
from ..ir.source import SourceRef


def to_json(diagnostics: Diagnostics) -> str:
    """Everything found, in the order of places."""
    found = diagnostics.all
    counts = Counter(item.severity for item in found)
    report = {
        "version": 1,
        "counts": {severity: counts[severity] for severity in SEVERITIES},
        "diagnostics": [
            {
                "code": item.code,
                "severity": item.severity,
                "title": CODES[item.code][1],
                "message": item.message,
                **_place(item.source),
                "hint": item.hint,
                "related": [{"message": near.message, **_place(near.source)} for near in item.related],
            }
            for item in found
        ],
    }
    return json.dumps(report, ensure_ascii=False, indent=2)


def _place(source: SourceRef) -> dict[str, str | int]:
    return {
        "file": source.file,
        "line": source.line,
        "column": source.column,
        "pointer": source.pointer,
    }
