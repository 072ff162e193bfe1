"""Names that no programming language was asked about, and parameters of a rarer kind."""

from __future__ import annotations

from typing import Any, Final

Json = Any

TEXT: Final[Json] = {"type": "string"}
HARD_NAMES: Final = (
    *("class", "from", "self", "options", "ops", "models", "list", "str", "timeout_s", "content_type"),
    *("user-id", "user_id", "userId", "USER_ID", "$filter", "filter[name]", "@type", "3d", "__private"),
    *("श्लोक", "naïve name", "a.b", "body", "content", "stream", "OMIT", "Omit", "None", "date", "client"),
)
"""Names of query parameters, all of one operation."""
TWICE: Final = ("path", "query", "header", "cookie")
METHODS: Final = ("list", "overload", "deprecated", "property", "import", "with_options", "models", "call")
TAGS: Final = ("User-Data", "user_data", "pets", "sync pets", "close", "operations", "datetime")
FILTER: Final[Json] = {
    "type": "object",
    "properties": {
        "lang": TEXT,
        "size": {"type": "object", "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}}},
        "tags": {"type": "array", "items": TEXT},
    },
}


def query(name: str, schema: Json = TEXT, **members: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema, **members}


def _text_in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


_TWICE: Final = [
    {"name": "id", "in": location, "required": location == "path", "schema": TEXT} for location in TWICE
]
_ID_BODY: Final = {
    "content": {"application/json": {"schema": {"type": "object", "properties": {"id": TEXT}}}}
}
_CONTENT: Final = [
    {"name": name, "in": location, "required": name == "where", "content": {kind: {"schema": schema}}}
    for name, location, kind, schema in (
        ("where", "path", "application/json", FILTER),
        ("near", "query", "application/vnd.geo+json", FILTER),
        ("X-Near", "header", "application/json", {"type": "array", "items": TEXT}),
        ("near", "cookie", "application/json", TEXT),
        ("plain", "query", "text/plain", TEXT),
    )
]
_RESERVED: Final = [
    query("q", allowReserved=True),
    query("many", {"type": "array", "items": TEXT}, explode=False, allowReserved=True),
]
_PARAMETERS: Final[dict[str, tuple[str, list[Json]]]] = {
    "/names/hard": ("hard", [query(name) for name in HARD_NAMES]),
    "/names/deep": ("deep", [query("filter", FILTER, style="deepObject", explode=True), query("other")]),
    "/names/reserved": ("reserved", _RESERVED),
    "/names/content/{where}": ("content", _CONTENT),
    "/names/two/{first}.{second}/{first}": (
        "two_in_a_segment",
        [_text_in_path("first"), _text_in_path("second")],
    ),
}


def paths(operation: Any) -> dict[str, Json]:
    found: dict[str, Json] = {
        path: {"get": operation(name, "names", parameters=parameters)}
        for path, (name, parameters) in _PARAMETERS.items()
    }
    found["/names/twice/{id}"] = {
        "post": operation("twice", "names", parameters=_TWICE, requestBody=_ID_BODY)
    }
    for name in METHODS:
        extra = {"deprecated": True} if name == "call" else {}
        found[f"/names/methods/{name}"] = {"get": operation(name, "methods", **extra)}
    for number, tag in enumerate(TAGS):
        found[f"/names/tags/{number}"] = {"get": operation(f"tag{number}", tag)}
    found["/names/alone"] = {"get": operation("with_options", "", tags=[])}
    return found
