"""Paths, operations, tags and components: what holds a document together."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from ..document import Node
from ..pointer import join, to_reference, tokens
from .survey import Finding, Findings, Survey, members

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_URL_SAFE: Final = re.compile(r"[A-Za-z0-9._~-]+")
"""Unreserved characters (RFC 3986, section 2.3)."""
_LONGEST_SUMMARY: Final = 80
_BESIDE_REFERENCE: Final = {"$ref", "summary", "description"}


def trailing_slash(survey: Survey) -> Findings:
    for path, item in members(survey.root, "paths"):
        if len(path) > 1 and path.endswith("/"):
            hint = f"write {path.rstrip('/')}"
            yield Finding(message=f"the path {path} ends with a slash", source=item.source, hint=hint)


def query_in_path(survey: Survey) -> Findings:
    for path, item in members(survey.root, "paths"):
        if "?" in path or "#" in path:
            message = f"the path {path} holds a query or a fragment"
            yield Finding(message=message, source=item.source, hint="describe a query parameter instead")


def path_parameter(survey: Survey) -> Findings:
    for call in survey.calls:
        held = set(_VARIABLE.findall(call.path))
        for parameter in call.parameters:
            name = parameter.text("name")
            if parameter.text("in") == "path" and name not in held:
                message = f"the path of {call.name} does not hold its parameter {name!r}"
                yield Finding(message=message, source=parameter.source)


def unused_component(survey: Survey) -> Findings:
    used = {node.text("$ref") for _, node in survey.objects}
    for schema in survey.of_kind("schemas"):
        for _, value in members(schema.get("discriminator") or schema, "mapping"):
            text = value.value if isinstance(value.value, str) else ""
            used.add(text if "#" in text else to_reference(join("components", "schemas", text)))
    for call in survey.calls:
        used |= {to_reference(join("components", "securitySchemes", name)) for name in _schemes(call.node)}
    used |= {to_reference(join("components", "securitySchemes", name)) for name in _schemes(survey.root)}
    for kind, group in members(survey.root, "components"):
        for name, member in group.members():
            if to_reference(join("components", kind, name)) not in used:
                yield Finding(message=f"nothing refers to {kind}/{name}", source=member.source)


def _schemes(node: Node) -> set[str]:
    listed = node.get("security")
    return {name for item in listed.elements() for name, _ in item.members()} if listed else set()


def reference_siblings(survey: Survey) -> Findings:
    for kind, node in survey.objects:
        if kind in ("schemas", "pathItems") or node.get("$ref") is None:
            continue
        for key, member in node.members():
            if key not in _BESIDE_REFERENCE:
                yield Finding(message=f"{key!r} beside a $ref is ignored", source=member.source)


def operation_id_missing(survey: Survey) -> Findings:
    for call in survey.calls:
        if not call.node.text("operationId"):
            yield Finding(message=f"{call.name} has no operationId", source=call.node.source)


def operation_id_url_safe(survey: Survey) -> Findings:
    for call in survey.calls:
        written = call.node.get("operationId")
        if written and not _URL_SAFE.fullmatch(call.node.text("operationId")):
            message = f"the operationId {written.value!r} holds characters that a URL must escape"
            yield Finding(message=message, source=written.place)


def tag_declared(survey: Survey) -> Findings:
    listed = survey.root.get("tags")
    known = {tag.text("name") for tag in listed.elements()} if listed else set[str]()
    for call in survey.calls:
        tags = call.node.get("tags")
        for tag in tags.elements() if tags else ():
            if tag.value not in known:
                message = f"the tag {tag.value!r} of {call.name} is not declared"
                yield Finding(message=message, source=tag.source, hint="declare it under `tags` at the root")


def tag_described(survey: Survey) -> Findings:
    listed = survey.root.get("tags")
    for tag in listed.elements() if listed else ():
        if not tag.text("description"):
            yield Finding(message=f"the tag {tag.text('name')!r} has no description", source=tag.source)


def single_tag(survey: Survey) -> Findings:
    for call in survey.calls:
        tags = call.node.get("tags")
        count = len(call.node.texts("tags"))
        if count != 1:
            source = tags.source if tags else call.node.source
            yield Finding(message=f"{call.name} has {count} tags, not one", source=source)


def summary_length(survey: Survey) -> Findings:
    for call in survey.calls:
        summary = call.node.get("summary")
        text = call.node.text("summary")
        if summary and (len(text) > _LONGEST_SUMMARY or text.endswith(".")):
            fault = "ends with a full stop" if text.endswith(".") else f"has {len(text)} characters"
            hint = f"a summary is a headline of at most {_LONGEST_SUMMARY} characters"
            yield Finding(message=f"the summary of {call.name} {fault}", source=summary.place, hint=hint)


def license_missing(survey: Survey) -> Findings:
    info = survey.root.get("info")
    if info is not None and info.get("license") is None:
        yield Finding(message="the document does not say under which licence it stands", source=info.source)


def repeated_variant(survey: Survey) -> Findings:
    for schema in survey.of_kind("schemas"):
        for keyword in ("allOf", "anyOf", "oneOf"):
            listed = schema.get(keyword)
            variants = list(listed.elements()) if listed else []
            counts = Counter(item.text("$ref") for item in variants if item.get("$ref"))
            for index, item in enumerate(variants):
                reference = item.text("$ref")
                if counts[reference] > 1 and reference in [v.text("$ref") for v in variants[:index]]:
                    name = tokens(reference)[-1]
                    yield Finding(message=f"{keyword} lists {name} twice", source=item.source)
