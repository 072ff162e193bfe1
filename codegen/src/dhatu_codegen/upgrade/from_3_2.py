"""OpenAPI 3.2 to 3.1, object by object.

What the rest of codegen reads without 3.1 having words for it goes on under names that begin with `x-oai-`,
the prefix that OpenAPI keeps for itself: methods beyond the eight of 3.1, the device flow of OAuth2, the tree
of tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urldefrag, urljoin

from ..document import Map, Seq
from ..path_item import ADDITIONAL, METHODS
from .rewriter import ANY, Rewriter, Transform, rename, set_aside
from .sequences import item_schemas

_FORM: Final = "application/x-www-form-urlencoded"
_UNSENT: Final = "the SDKs and the gateway do not know it"


def own_references(value: Map, rewriter: Rewriter) -> None:
    """A reference through the document's own `$self` is one to the document itself."""
    reference = value.get("$ref")
    if isinstance(reference, str):
        value.put("$ref", _within(reference, rewriter), value.places["$ref"])


def identity(document: Map, rewriter: Rewriter) -> None:
    """`$self` has done its work when the references are rewritten."""
    document.pop("$self", None)


def tag_groups(document: Map, rewriter: Rewriter) -> None:
    """Tags that name their parent make `x-tagGroups`, one group for each tag at the top of a tree."""
    tags = [tag for tag in _elements(document.get("tags")) if isinstance(tag.get("name"), str)]
    parents = {str(tag["name"]): tag.get("x-oai-parent") for tag in tags}
    if not any(parents.values()) or "x-tagGroups" in document:
        return
    groups: dict[str, Map] = {}
    for tag in tags:
        top, above = str(tag["name"]), {str(tag["name"])}
        while isinstance(parent := parents.get(top), str) and parent not in above:
            above.add(parent)
            top = parent
        if top not in groups:
            first = next((one for one in tags if one["name"] == top), tag)
            groups[top] = Map(tag.source)
            groups[top].put("name", first.get("x-displayName", top))
            groups[top].put("tags", Seq(tag.source))
        members = groups[top]["tags"]
        if isinstance(members, Seq):
            members.put(str(tag["name"]), tag.source)
    listed = Seq(document.places["tags"][0])
    for group in groups.values():
        listed.put(group, group.source)
    document.put("x-tagGroups", listed, (listed.source, listed.source))


def tag(value: Map, rewriter: Rewriter) -> None:
    """The summary of a tag is its name for people, which 3.1 documents write `x-displayName`."""
    if "summary" in value:
        rename(value, "summary", "x-displayName")
    set_aside(value, "parent", "kind")


def methods(item: Map, rewriter: Rewriter) -> None:
    """`query` and `additionalOperations` under one key; methods are written as they are sent."""
    written = item.get("additionalOperations")
    more = Map(item.places["additionalOperations"][1] if isinstance(written, Map) else item.source)
    if "query" in item:
        more.put("QUERY", item["query"], item.places["query"])
    for method in written if isinstance(written, Map) else ():
        if method != method.upper() or method.lower() in METHODS:
            hint = "write it in upper case; the eight methods of 3.1 have keys of their own"
            place = written.places[method][0] if isinstance(written, Map) else item.source
            rewriter.diagnostics.add("DH065", f"the method {method!r} cannot be carried", place, hint=hint)
        elif isinstance(written, Map):
            more.take(written, method)
    item.pop("query", None)
    item.pop("additionalOperations", None)
    if more:
        item.put(ADDITIONAL, more)


def media_type_references(content: Map, rewriter: Rewriter) -> None:
    """3.1 has no reference to a media type: what it leads to stands in its place."""
    for media_type in content:
        content.put(
            media_type, rewriter.followed(content[media_type], "mediaType"), content.places[media_type]
        )


def component_kinds(components: Map, rewriter: Rewriter) -> None:
    """Media types stand where they were used, so that nothing refers to them any more."""
    components.pop("mediaTypes", None)


def media_type(value: Map, rewriter: Rewriter) -> None:
    set_aside(value, "description")
    _leave_out(value, rewriter, "prefixEncoding", "itemEncoding")


def encoding(value: Map, rewriter: Rewriter) -> None:
    """Parts within parts: a multipart body has one level here."""
    _leave_out(value, rewriter, "encoding", "prefixEncoding", "itemEncoding")


def querystring(parameter: Map, rewriter: Rewriter) -> None:
    """A whole query string as a form is an exploded object in the query; another format has no equal."""
    if parameter.get("in") != "querystring":
        return
    content = parameter.get("content")
    form = content.get(_FORM) if isinstance(content, Map) else None
    if not isinstance(form, Map) or "schema" not in form:
        hint = f"describe it as {_FORM} with a schema, or as parameters of their own"
        place = parameter.places["content" if "content" in parameter else "in"][0]
        rewriter.diagnostics.add("DH065", "a query string of this format cannot be built", place, hint=hint)
        return
    _leave_out(form, rewriter, "encoding")
    parameter.put("in", "query", parameter.places["in"])
    parameter.put("style", "form", parameter.places["in"])
    parameter.put("explode", True, parameter.places["in"])
    parameter.take(form, "schema")
    for key in ("example", "examples"):
        if key in form and key not in parameter:
            parameter.take(form, key)
    del parameter["content"]


def cookie_style(parameter: Map, rewriter: Rewriter) -> None:
    """`style: cookie` joins by `; ` and encodes nothing; 3.1 has `form` only."""
    if parameter.get("style") == "cookie":
        place = parameter.places["style"]
        hint = "plain values of one parameter are sent alike"
        rewriter.diagnostics.add("DH064", "the style `cookie` is sent as `form`", place[1], hint=hint)
        parameter.put("style", "form", place)


def response(value: Map, rewriter: Rewriter) -> None:
    """3.1 demands a description; where 3.2 has only a summary, that is it."""
    if "$ref" in value:
        return
    if "description" not in value:
        value.put("description", value.get("summary", ""), value.places.get("summary"))
        value.pop("summary", None)
    set_aside(value, "summary")


def example(value: Map, rewriter: Rewriter) -> None:
    """The value as data goes before the value as text."""
    if "dataValue" in value and "value" not in value:
        rename(value, "dataValue", "value")
    elif "serializedValue" in value and not value.keys() & {"value", "externalValue"}:
        rename(value, "serializedValue", "value")
    set_aside(value, "dataValue", "serializedValue")


def flows(value: Map, rewriter: Rewriter) -> None:
    set_aside(value, "deviceAuthorization")


def security_scheme(value: Map, rewriter: Rewriter) -> None:
    set_aside(value, "oauth2MetadataUrl", "deprecated")


def security_requirement(value: Map, rewriter: Rewriter) -> None:
    """3.2 lets a requirement name its scheme by a reference, 3.1 by its key alone."""
    prefix = "#/components/securitySchemes/"
    for key in list(value):
        reference = _within(key, rewriter)
        if reference.startswith(prefix):
            rename(value, key, reference.removeprefix(prefix).replace("~1", "/").replace("~0", "~"))


def server(value: Map, rewriter: Rewriter) -> None:
    set_aside(value, "name")


def discriminator(value: Map, rewriter: Rewriter) -> None:
    """A union is told apart by the values that `mapping` names; the rest is tried one by one."""
    mapping = value.get("mapping")
    if isinstance(mapping, Map):
        own = Map(mapping.source)
        for key, target in mapping.items():
            local = _within(target, rewriter) if isinstance(target, str) else target
            own.put(key, local, mapping.places[key])
        value.put("mapping", own, value.places["mapping"])
    if "defaultMapping" in value:
        place = value.places["defaultMapping"][0]
        hint = "a value that the mapping does not name is kept as it is, without a type"
        rewriter.diagnostics.add("DH064", f"`defaultMapping`: {_UNSENT}", place, hint=hint)
        set_aside(value, "defaultMapping")


def xml(value: Map, rewriter: Rewriter) -> None:
    if value.get("nodeType") == "attribute":
        value.put("attribute", True, value.places["nodeType"])
        del value["nodeType"]
    set_aside(value, "nodeType")


def _leave_out(value: Map, rewriter: Rewriter, *keys: str) -> None:
    for key in keys:
        if key in value:
            rewriter.diagnostics.add("DH064", f"`{key}` is left out: {_UNSENT}", value.places[key][0])
            del value[key]


def _within(reference: str, rewriter: Rewriter) -> str:
    own = rewriter.root.text("$self")
    if not own or reference.startswith("#"):
        return reference
    document, fragment = urldefrag(urljoin(own, reference))
    return f"#{fragment}" if document == urldefrag(own).url else reference


def _elements(value: object) -> list[Map]:
    return [element for element in value if isinstance(element, Map)] if isinstance(value, Seq) else []


TRANSFORMS: Final[Mapping[str, tuple[Transform, ...]]] = {
    ANY: (own_references,),
    "document": (identity, tag_groups),
    "components": (component_kinds,),
    "tag": (tag,),
    "pathItem": (methods,),
    "content": (media_type_references, item_schemas),
    "mediaType": (media_type,),
    "encoding": (encoding,),
    "parameter": (querystring, cookie_style),
    "response": (response,),
    "example": (example,),
    "flows": (flows,),
    "securityScheme": (security_scheme,),
    "securityRequirement": (security_requirement,),
    "server": (server,),
    "discriminator": (discriminator,),
    "xml": (xml,),
}
"""What each kind of object goes through, in this order."""
