"""Whatever operations a document has, its package compiles, and holds each of them once."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

from codegen.sdk.sources import api
from codegen.typescript.packages import add, lay_out
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from node import run

Json = Any
NAMES = (
    *("id", "ID", "class", "client", "options", "params", "args", "s", "t", "o", "this", "stream", "body"),
    *("content", "contentType", "page", "object", "string", "Content", "then", "toString", "__proto__", "é"),
    *("page_size", "page-size", "pageSize", "filter[name]", "3d", "arranged", "job", "createClient", "call"),
)
"""Names of operations, resources, parameters and members alike."""
KINDS = ("application/json", "application/xml", "text/plain", "application/octet-stream", "image/*", "*/*")
STREAMS = ("text/event-stream", "application/jsonl")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
NAME = st.sampled_from(NAMES)
SCALARS: list[Json] = [
    *({"type": kind} for kind in ("string", "integer", "boolean")),
    {"type": ["string", "null"]},
    {"enum": ["it's", "*/", "Content"]},
    {"const": "`${x}`"},
    {"type": "string", "format": "binary"},
    {},
]
COMPONENTS: Json = {
    "Content": {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string", "readOnly": True}},
    },
    "Tree": {
        "type": "object",
        "properties": {"leaves": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    },
    "Either": {"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"$ref": "#/components/schemas/Content"}]},
    "Page": {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            "next": {"type": "string"},
        },
    },
}
SCHEMAS = st.recursive(
    st.sampled_from([*SCALARS, *({"$ref": f"#/components/schemas/{name}"} for name in COMPONENTS)]),
    lambda inner: (
        inner.map(lambda items: {"type": "array", "items": items})
        | st.tuples(st.dictionaries(NAME, inner, min_size=1, max_size=3), st.sets(NAME, max_size=2)).map(
            lambda found: {
                "type": "object",
                "properties": found[0],
                "required": [*found[1] & found[0].keys()],
            }
        )
        | st.lists(inner, min_size=2, max_size=2).map(lambda variants: {"oneOf": variants})
    ),
    max_leaves=4,
)


def contents(kinds: tuple[str, ...], most: int) -> st.SearchStrategy[Json]:
    return st.dictionaries(
        st.sampled_from(kinds), SCHEMAS.map(lambda schema: {"schema": schema}), max_size=most
    )


@st.composite
def operations(draw: st.DrawFn, route: str, method: str) -> Json:
    variables = [part[1:-1] for part in route.split("/") if part.startswith("{")]
    places = draw(
        st.lists(st.tuples(NAME, st.sampled_from(["query", "header", "cookie"])), max_size=4, unique=True)
    )
    parameters = [
        *(
            {"name": name, "in": "path", "required": True, "schema": draw(st.sampled_from(SCALARS[:3]))}
            for name in variables
        ),
        *(
            {"name": name, "in": place, "required": draw(st.booleans()), "schema": draw(SCHEMAS)}
            for name, place in places
        ),
    ]
    found: Json = {
        "operationId": draw(NAME),
        "tags": draw(st.lists(NAME, max_size=1)),
        "deprecated": draw(st.booleans()),
        "description": draw(st.sampled_from(["", "Ends */ early\r\n\r\n@tag", "- a\n- b"])),
        "parameters": parameters,
        "responses": {
            status: {"description": "d", "content": draw(contents((*KINDS, *STREAMS), 3))}
            for status in draw(
                st.sets(st.sampled_from(["200", "202", "204", "2XX", "404", "default"]), max_size=3)
            )
        },
    }
    sdk: Json = {}
    if method in ("post", "put"):
        body = draw(contents((*KINDS, *FORMS, "application/jsonl"), 3))
        found["requestBody"] = {"required": draw(st.booleans()), "content": body}
        sdk["positional"] = draw(st.lists(NAME, max_size=3))
    if draw(st.booleans()):
        sdk["paginate"] = {"cursor": "next", "items": "items", "parameter": draw(NAME)}
    return found | {"x-dhatu": {"sdk": sdk}}


@st.composite
def documents(draw: st.DrawFn) -> Json:
    paths: Json = {}
    for number in range(draw(st.integers(1, 4))):
        variables = draw(st.lists(NAME.filter(lambda name: "[" not in name), max_size=2, unique=True))
        route = "/".join([f"/{number}", *(f"{{{name}}}" for name in variables)])
        methods = draw(st.sets(st.sampled_from(["get", "post", "put", "head"]), min_size=1, max_size=2))
        paths[route] = {method: draw(operations(route, method)) for method in sorted(methods)}
    return {
        "openapi": "3.1.1",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.test"}],
        "paths": paths,
        "components": {"schemas": COMPONENTS},
    }


def test_any_document_compiles(tmp_path: Path) -> None:
    """All of them in one run of the compiler, which is slow to start."""
    lay_out(tmp_path)
    (tmp_path / "sources").mkdir()
    numbers = count()

    @settings(
        max_examples=40,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents())
    def added(document: Json) -> None:
        number = next(numbers)
        source = tmp_path / "sources" / f"{number}.json"
        source.write_text(json.dumps(document), encoding="utf-8")
        add(tmp_path, f"package{number}", api(source.as_posix()))

    added()
    assert next(numbers) == 40
    run("tsc", "-p", tmp_path / "tsconfig.json", "--noEmit", folder=tmp_path)
