"""`itemSchema` of 3.2: where a body is a series, the schema of one item is the one that codegen reads."""

from __future__ import annotations

from typing import Final

from ..document import Map, Places, Seq
from ..ir.schema import Json
from ..ir.source import SourceRef
from ..parse.parameters import payload_kind
from .rewriter import Rewriter

_ENVELOPE: Final = frozenset({"data", "event", "id", "retry"})
"""The fields of a server-sent event (WHATWG HTML, section 9.2)."""


def item_schemas(content: Map, rewriter: Rewriter) -> None:
    """Give each media type of a body one schema: that of an item where its kind is a series of items."""
    for media_type, body in content.items():
        if not isinstance(body, Map):
            continue
        kind = payload_kind(media_type)
        # A media type that several bodies share is one object: it must not be changed for one of them.
        own = _copy(body)
        if kind in ("sse", "jsonl"):
            _as_items(own, kind, rewriter)
        elif "itemSchema" in own:
            _as_array(own, media_type, rewriter)
        content.put(media_type, own, content.places[media_type])


def _as_items(body: Map, kind: str, rewriter: Rewriter) -> None:
    if "itemSchema" not in body:
        _items_of_array(body, rewriter)
        return
    item, places = body["itemSchema"], body.places["itemSchema"]
    if "schema" in body:
        message = "`schema` of the whole series is left out: its items are read one by one"
        rewriter.diagnostics.add("DH064", message, body.places["schema"][0])
    if kind == "sse":
        item = _data_of_event(item, places, rewriter)
    body.put("schema", item, places)
    del body["itemSchema"]


def _items_of_array(body: Map, rewriter: Rewriter) -> None:
    """3.2 describes a series as an array where it has no `itemSchema`; older documents mean one item."""
    schema = rewriter.followed(body.get("schema"), "schema")
    if isinstance(schema, Map) and schema.get("type") == "array" and "items" in schema:
        body.put("schema", schema["items"], schema.places["items"])
    elif isinstance(schema, Map):
        message = "the schema of a series that is no array is taken for that of one item"
        place = body.places["schema"][0]
        rewriter.diagnostics.add("DH062", message, place, hint="name it `itemSchema`")


def _as_array(body: Map, media_type: str, rewriter: Rewriter) -> None:
    places = body.places["itemSchema"]
    message = f"items of {media_type} are not read one by one"
    rewriter.diagnostics.add("DH064", message, places[0], hint="JSON Lines and server-sent events are")
    if "schema" not in body:
        series = Map(places[0])
        series.put("type", "array", places)
        series.put("items", body["itemSchema"], places)
        body.put("schema", series, places)
    del body["itemSchema"]


def _data_of_event(item: Json, places: Places, rewriter: Rewriter) -> Json:
    """What the `data` of an event holds; the item itself where it does not describe an event's fields."""
    event = rewriter.followed(item, "schema")
    if not isinstance(event, Map):
        return item
    base: Map | None = _data(event)
    found: list[tuple[Json, SourceRef]] = []
    for keyword in ("oneOf", "anyOf"):
        listed = event.get(keyword)
        for variant in listed if isinstance(listed, Seq) else ():
            followed = rewriter.followed(variant, "schema")
            data = (_data(followed) if isinstance(followed, Map) else None) or base
            if data is None or not _only_names(followed):
                return item
            found.append((_content(data), _source(followed, places)))
    if not found:
        return item if base is None else _content(base)
    contents = Seq(places[0])
    for content, source in found:
        if content not in contents:
            contents.put(content, source)
    message = "the names of events are not carried: their data is told apart by its schema"
    rewriter.diagnostics.add("DH064", message, places[0])
    union = Map(places[0])
    union.put("anyOf", contents, places)
    return union if len(contents) > 1 else contents[0]


def _data(event: Map) -> Map | None:
    """The schema of `data` among the fields of an event; None where these are no event's."""
    fields = event.get("properties")
    data = fields.get("data") if isinstance(fields, Map) and fields.keys() <= _ENVELOPE else None
    if not isinstance(data, Map):
        return None
    text = data.get("type") == "string" or data.keys() & {"contentSchema", "contentMediaType", "format"}
    return data if text else None


def _only_names(event: Json) -> bool:
    fields = event.get("properties") if isinstance(event, Map) else None
    return isinstance(fields, Map) and fields.keys() <= _ENVELOPE


def _content(data: Map) -> Json:
    """The schema of the value that the text of `data` holds: of the text itself where it is no JSON."""
    if "contentSchema" in data:
        return data["contentSchema"]
    return data if "contentMediaType" not in data else Map(data.source)


def _source(value: Json, places: Places) -> SourceRef:
    return value.source if isinstance(value, Map) else places[0]


def _copy(value: Map) -> Map:
    copy = Map(value.source)
    for key in value:
        copy.take(value, key)
    return copy
