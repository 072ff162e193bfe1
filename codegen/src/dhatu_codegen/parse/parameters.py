"""Parameters, headers, bodies and responses: everything that travels."""

from __future__ import annotations

from typing import Final, Literal, get_args

from ..document import Node
from ..ir.name import Name
from ..ir.operation import Header, Parameter, PartEncoding, Payload, PayloadKind, RequestBody, Response
from ..ir.schema import AnyValue, Json, Schema
from .context import Context
from .schemas import parse_schema

_Location = Literal["path", "query", "header", "cookie"]
_DEFAULT_STYLE: Final[dict[str, str]] = {
    "path": "simple",
    "query": "form",
    "header": "simple",
    "cookie": "form",
}
_JSON_LINES: Final = frozenset(
    {
        "application/jsonl",
        "application/x-ndjson",
        "application/ndjson",
        "application/json-lines",
        "application/x-jsonl",
    }
)
_PICTURES: Final = ("image/", "audio/", "video/", "font/")


def payload_kind(media_type: str) -> PayloadKind:
    """How a body of this media type is read; parameters such as `charset` play no part.

    >>> payload_kind("application/vnd.x+json"), payload_kind("image/svg+xml"), payload_kind("application/xml")
    ('json', 'binary', 'text')
    """
    essence = media_type.partition(";")[0].strip().lower()
    match essence:
        case "text/event-stream":
            return "sse"
        case "application/x-www-form-urlencoded":
            return "form"
        case _ if essence in _JSON_LINES:
            return "jsonl"
        case _ if essence == "application/json" or essence.endswith("+json"):
            return "json"
        case _ if essence.startswith("multipart/"):
            return "multipart"
        case _ if essence.startswith(_PICTURES):
            return "binary"
        case _ if essence.startswith("text/") or essence == "application/xml" or essence.endswith("+xml"):
            return "text"
        case _:
            return "binary"


def parse_parameters(context: Context, item: Node, operation: Node) -> tuple[Parameter, ...]:
    """Those of the path, each replaced by the operation's own of that name and location, then the rest."""
    found: dict[tuple[str, str], Parameter] = {}
    for node in (item.get("parameters"), operation.get("parameters")):
        for written in node.elements() if node else ():
            parameter = _parameter(context, context.follow(written))
            if parameter is not None:
                found[parameter.location, parameter.name.wire] = parameter
    return tuple(found.values())


def parse_body(context: Context, operation: Node) -> RequestBody | None:
    """The request body; None where the operation takes none."""
    written = operation.get("requestBody")
    if written is None:
        return None
    node = context.follow(written)
    return RequestBody(
        required=node.flag("required"),
        description=node.text("description").strip(),
        payloads=_payloads(context, node),
        source=written.source,
    )


def parse_responses(context: Context, operation: Node) -> tuple[Response, ...]:
    """Every response, in document order."""
    responses = operation.get("responses")
    found: list[Response] = []
    for status, written in responses.members() if responses else ():
        if status.startswith("x-"):
            continue
        node = context.follow(written)
        found.append(
            Response(
                status=status,
                description=node.text("description").strip(),
                payloads=_payloads(context, node),
                headers=_headers(context, node),
                source=written.source,
            )
        )
    return tuple(found)


def _parameter(context: Context, node: Node) -> Parameter | None:
    location: _Location | None = next(
        (known for known in get_args(_Location) if known == node.text("in")), None
    )
    if location is None:
        return None
    carrier, content_type = _schema_carrier(node)
    schema = carrier.get("schema")
    style = node.text("style", _DEFAULT_STYLE[location])
    return Parameter(
        name=Name.of(node.text("name")),
        location=location,
        required=node.flag("required"),
        schema=parse_schema(context, schema) if schema else AnyValue(source=node.source, constraints={}),
        style=style,
        explode=node.flag("explode", style in ("form", "cookie")),
        allow_reserved=node.flag("allowReserved"),
        content_type=content_type,
        description=node.text("description").strip(),
        deprecated=node.flag("deprecated"),
        examples=tuple(value for _, value in _examples(context, node) or _examples(context, carrier)),
        pointer=schema.pointer if schema else "",
        source=node.source,
    )


def _schema_carrier(node: Node) -> tuple[Node, str]:
    """Where a parameter's schema stands: the parameter itself, or the one media type of its `content`."""
    content = node.get("content")
    for media_type, carrier in content.members() if content else ():
        return carrier, media_type
    return node, ""


def _payloads(context: Context, node: Node) -> tuple[Payload, ...]:
    content = node.get("content")
    found: list[Payload] = []
    for media_type, written in content.members() if content else ():
        carrier = context.follow(written)
        schema = carrier.get("schema")
        kind = _kind(context, media_type, schema)
        found.append(
            Payload(
                media_type=media_type,
                kind=kind,
                schema=parse_schema(context, schema) if schema else None,
                encoding=_encoding(context, carrier, kind),
                examples=_examples(context, carrier),
                pointer=schema.pointer if schema else "",
                source=written.source,
            )
        )
    return tuple(found)


def _kind(context: Context, media_type: str, schema: Node | None) -> PayloadKind:
    """By media type; by schema where any is allowed, since an object or a list is then JSON, never bytes."""
    if media_type.partition(";")[0].strip() in ("*/*", "application/*") and schema is not None:
        followed = context.follow(schema)
        if any(followed.get(key) for key in ("properties", "allOf", "items", "additionalProperties")):
            return "json"
        if followed.text("type") in ("object", "array", "integer", "number", "boolean"):
            return "json"
    return payload_kind(media_type)


def _headers(context: Context, node: Node) -> tuple[Header, ...]:
    headers = node.get("headers")
    found: list[Header] = []
    for name, written in headers.members() if headers else ():
        header = context.follow(written)
        carrier, content_type = _schema_carrier(header)
        schema = carrier.get("schema")
        parsed: Schema = (
            parse_schema(context, schema) if schema else AnyValue(source=header.source, constraints={})
        )
        found.append(
            Header(
                name=name,
                required=header.flag("required"),
                schema=parsed,
                explode=header.flag("explode"),
                content_type=content_type,
                description=header.text("description").strip(),
                pointer=schema.pointer if schema else "",
            )
        )
    return tuple(found)


def _examples(context: Context, node: Node) -> tuple[tuple[str, Json], ...]:
    """(name, value) of `examples`; those that live at a URL have no value here."""
    examples, example = node.get("examples"), node.get("example")
    found: list[tuple[str, Json]] = []
    for name, written in examples.members() if examples else ():
        value = context.follow(written).get("value")
        if value is not None:
            found.append((name, value.value))
    if example is not None:
        found.append(("example", example.value))
    return tuple(found)


def _encoding(context: Context, carrier: Node, kind: PayloadKind) -> tuple[PartEncoding, ...]:
    """How each property of a form or multipart body is written, OpenAPI's defaults filled in."""
    schema = carrier.get("schema")
    if kind not in ("form", "multipart") or schema is None:
        return ()
    written = carrier.get("encoding")
    properties = dict(members.members()) if (members := context.follow(schema).get("properties")) else {}
    named = dict(written.members()) if written else {}
    return tuple(
        _part_encoding(context, name, properties.get(name), named.get(name), kind)
        for name in dict.fromkeys((*properties, *named))
    )


def _part_encoding(
    context: Context, name: str, member: Node | None, own: Node | None, kind: PayloadKind
) -> PartEncoding:
    """What stands in `encoding` for a property, or the default of one; at least one of both is there."""
    source = own or member
    assert source is not None
    styled = own is not None and any(own.get(key) for key in ("style", "explode", "allowReserved"))
    style = own.text("style", "form") if own and styled else ""
    default = _default_content_type(context, member) if member and kind == "multipart" else ""
    return PartEncoding(
        property=name,
        content_type=own.text("contentType", default) if own else default,
        style=style,
        explode=own.flag("explode", style == "form") if own else False,
        allow_reserved=own.flag("allowReserved") if own else False,
        headers=_headers(context, own) if own else (),
        source=source.source,
    )


def _default_content_type(context: Context, member: Node) -> str:
    """The table of OpenAPI 3.1's Encoding Object: by the type of the property, of the items for an array."""
    schema = context.follow(member)
    items = schema.get("items")
    if schema.text("type") == "array" and items is not None:
        schema = context.follow(items)
    if schema.text("type") == "string" or schema.get("enum"):
        if media_type := schema.text("contentMediaType"):
            return media_type
        binary = schema.text("contentEncoding") or schema.text("format") == "binary"
        return "application/octet-stream" if binary else "text/plain"
    if schema.text("type") in ("integer", "number", "boolean"):
        return "text/plain"
    return (
        "application/json" if schema.get("type") or schema.get("properties") else "application/octet-stream"
    )
