"""Answers in every media type, by status, by range and by default."""

from __future__ import annotations

from typing import Any, Final

Json = Any

PET: Final[Json] = {"$ref": "#/components/schemas/Pet"}
TEXT: Final[Json] = {"type": "string"}
BINARY: Final[Json] = {"type": "string", "format": "binary"}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


RESPONSES: Final[dict[str, Json]] = {
    "by_status": {
        "200": {"description": "Whole.", "content": _json(PET)},
        "202": {"description": "Later.", "content": _json({"type": "array", "items": TEXT})},
        "204": {"description": "Nothing."},
    },
    "by_range": {"2XX": {"description": "Fine.", "content": _json(PET)}, "default": {"description": "No."}},
    "by_default": {"default": {"description": "Any.", "content": _json(PET)}},
    "vendor": {"200": {"description": "Own.", "content": {"application/vnd.pet+json; v=1": {"schema": PET}}}},
    "versions": {
        "200": {
            "description": "Told apart by a parameter alone.",
            "content": {
                "application/json; v=1": {"schema": TEXT},
                "application/json; v=2": {"schema": PET},
            },
        }
    },
    "several": {
        "200": {
            "description": "Many kinds.",
            "content": {
                **_json(PET),
                "text/csv": {"schema": TEXT},
                "application/pdf": {"schema": BINARY},
                "application/xml": {"schema": PET},
            },
        }
    },
    "text": {"200": {"description": "Text.", "content": {"text/plain": {"schema": TEXT}}}},
    "xml": {"200": {"description": "XML.", "content": {"application/xml": {"schema": PET}}}},
    "picture": {"200": {"description": "A picture.", "content": {"image/*": {"schema": BINARY}}}},
    "anything": {"200": {"description": "Anything.", "content": {"*/*": {"schema": BINARY}}}},
    "any_object": {"200": {"description": "Any media type.", "content": {"*/*": {"schema": PET}}}},
    "nothing": {"204": {"description": "Nothing."}},
    "any_json": {"200": {"description": "Any JSON.", "content": {"application/json": {}}}},
    "nullable": {"200": {"description": "Perhaps.", "content": _json({"oneOf": [PET, {"type": "null"}]})}},
    "events": {"200": {"description": "Events.", "content": {"text/event-stream": {"schema": PET}}}},
    "messages": {"200": {"description": "Texts.", "content": {"text/event-stream": {"schema": TEXT}}}},
    "raw_events": {"200": {"description": "Events of no shape.", "content": {"text/event-stream": {}}}},
    "lines": {"200": {"description": "Lines.", "content": {"application/jsonl": {"schema": PET}}}},
    "headers": {
        "200": {
            "description": "With headers.",
            "headers": {"X-Total": {"schema": {"type": "integer"}}},
            "content": _json(PET),
        }
    },
    "moved": {
        "302": {"description": "Elsewhere.", "headers": {"Location": {"schema": TEXT}}},
        "404": {"description": "Gone."},
    },
}


def paths(operation: Any) -> dict[str, Json]:
    head = operation("head", "answers", responses=RESPONSES["by_status"])
    found = {
        f"/answers/{name}": {"get": operation(name, "answers", responses=responses)}
        for name, responses in RESPONSES.items()
    }
    return {**found, "/answers/head": {"head": head}}
