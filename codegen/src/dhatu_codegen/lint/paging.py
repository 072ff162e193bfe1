"""Lists that come page by page."""

from __future__ import annotations

from typing import Final

from ..document import Node
from .survey import Call, Finding, Findings, Survey, members, types

_SIZES: Final = frozenset(
    {"limit", "page_size", "pagesize", "per_page", "perpage", "max_results", "maxresults"}
)
_POSITIONS: Final = ("cursor", "page", "offset", "after", "before", "token", "start", "marker")


def page_maximum(survey: Survey) -> Findings:
    for call in survey.calls:
        size = _size(call)
        schema = size.get("schema") if size else None
        followed = survey.follow(schema) if schema else None
        if size and followed and not (followed.get("maximum") or followed.get("exclusiveMaximum")):
            message = f"a page of {call.name} may be of any size"
            yield Finding(message=message, source=size.source, hint="set a maximum")


def page_cursor(survey: Survey) -> Findings:
    for call in survey.calls:
        size = _size(call)
        others = [item.text("name").lower() for item in call.parameters if item is not size]
        if any(status == "101" for status, _ in call.responses):
            continue  # a WebSocket can be asked for more in any way
        if size and not any(word in name for name in others for word in _POSITIONS):
            message = f"{call.name} limits its answer, and nothing asks for the rest"
            yield Finding(message=message, source=size.source, hint="take a cursor")


def bare_list(survey: Survey) -> Findings:
    for call in survey.calls:
        for status, response in call.responses:
            for media, carrier in members(response, "content"):
                schema = carrier.get("schema")
                listed = schema and "array" in types(survey.follow(schema))
                if schema and listed and call.method == "GET" and status[0] == "2" and "json" in media:
                    message = f"{call.name} answers with a bare list, which cannot be paged later"
                    yield Finding(message=message, source=schema.source, hint="wrap it in an object")


def _size(call: Call) -> Node | None:
    found = [item for item in call.parameters if item.text("in") == "query"]
    return next((item for item in found if item.text("name").lower() in _SIZES), None)
