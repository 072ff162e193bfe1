"""Bodies in every media type."""

from __future__ import annotations

from typing import Any, Final

Json = Any

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "integer"}
TEXTS: Final[Json] = {"type": "array", "items": TEXT}
BINARY: Final[Json] = {"type": "string", "format": "binary"}
SCHEMAS: Final[Json] = {
    "Pet": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": TEXT, "age": {"type": ["integer", "null"]}},
    },
}
PET: Final[Json] = {"$ref": "#/components/schemas/Pet"}
FORM: Final[Json] = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "count": NUMBER,
        "yes": {"type": "boolean"},
        "many": TEXTS,
        "joined": TEXTS,
        "piped": TEXTS,
        "deep": {"type": "object", "properties": {"R": NUMBER, "G": TEXT}},
        "pet": PET,
        "pets": {"type": "array", "items": PET},
        "json": TEXTS,
    },
}
FORM_ENCODING: Final[Json] = {
    "joined": {"explode": False},
    "piped": {"style": "pipeDelimited", "explode": False},
    "deep": {"style": "deepObject"},
    "json": {"contentType": "application/json"},
}
PARTS: Final[Json] = {
    "type": "object",
    "required": ["photo"],
    "properties": {
        "photo": BINARY,
        "pages": {"type": "array", "items": BINARY},
        "note": TEXT,
        "count": NUMBER,
        "tags": TEXTS,
        "pet": PET,
        "pets": {"type": "array", "items": PET},
        "quoted": TEXT,
        "table": TEXT,
        "deep": {"type": "object", "properties": {"R": NUMBER, "G": TEXT}},
    },
}
PARTS_ENCODING: Final[Json] = {
    "photo": {"contentType": "image/png, image/jpeg"},
    "quoted": {"contentType": "application/json"},
    "table": {"contentType": "text/csv"},
    "pet": {"contentType": "application/vnd.pet+json"},
    "deep": {"style": "deepObject", "explode": True},
}

WHOLE: Final[dict[str, tuple[str, Json]]] = {
    "json_list": ("application/json", {"type": "array", "items": PET}),
    "json_text": ("application/json", TEXT),
    "json_number": ("application/json; charset=utf-8", {"type": "number"}),
    "json_null": ("application/json", {"oneOf": [PET, {"type": "null"}]}),
    "json_any": ("application/json", {}),
    "any_object": ("*/*", PET),
    "json_map": ("application/json", {"type": "object", "additionalProperties": NUMBER}),
    "vendor": ("application/vnd.shop.v2+json", PET),
    "patch": ("application/merge-patch+json", PET),
    "octets": ("application/octet-stream", BINARY),
    "plain": ("text/plain", TEXT),
    "latin": ("text/plain; charset=iso-8859-1", TEXT),
    "xml": ("application/xml", PET),
    "soap": ("application/soap+xml; charset=utf-8", TEXT),
    "sdp": ("application/sdp", TEXT),
    "picture": ("image/*", BINARY),
    "anything": ("*/*", BINARY),
    "raw_form": ("application/x-www-form-urlencoded", TEXT),
    "open_form": ("application/x-www-form-urlencoded", {"type": "object", "additionalProperties": TEXT}),
    "open_parts": ("multipart/form-data", {"type": "object", "additionalProperties": True}),
    "lines": ("application/x-ndjson", PET),
}


def paths(operation: Any) -> dict[str, Json]:
    def post(name: str, content: Json, **members: Json) -> Json:
        body = {"required": True, "content": content, **members}
        return {"post": operation(name, "bodies", requestBody=body)}

    found = {
        f"/bodies/{name}": post(name, {media_type: {"schema": schema}})
        for name, (media_type, schema) in WHOLE.items()
    }
    form = {"schema": FORM, "encoding": FORM_ENCODING}
    found["/bodies/form"] = post("form", {"application/x-www-form-urlencoded": form})
    found["/bodies/parts"] = post(
        "parts", {"multipart/form-data": {"schema": PARTS, "encoding": PARTS_ENCODING}}
    )
    found["/bodies/optional"] = post("optional", {"application/json": {"schema": PET}}, required=False)
    found["/bodies/several"] = post(
        "several",
        {
            "application/json": {"schema": PET},
            "application/x-www-form-urlencoded": {"schema": PET},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"name": TEXT, "photo": BINARY}}
            },
            "application/xml": {"schema": PET},
            "text/csv": {"schema": TEXT},
        },
    )
    return found
