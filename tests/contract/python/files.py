"""The files of cases, and the schema that they follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1]

Case = Mapping[str, Any]


def topics() -> dict[str, Any]:
    """Name of each file to what it holds."""
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("cases/*.json"))}


def cases() -> list[Case]:
    """Every case of every file."""
    return [case for topic in topics().values() for case in topic["cases"]]


def schema() -> Any:
    """What each file has to look like."""
    return json.loads((FOLDER / "case.schema.json").read_text("utf-8"))
