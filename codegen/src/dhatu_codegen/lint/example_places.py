"""Examples of schemas and headers; those of parameters and bodies are checked beside them."""

from __future__ import annotations

from ..document import Node
from ..validators import Validators
from .survey import Finding, Findings, Survey, members


def two_examples(survey: Survey) -> Findings:
    for kind in ("parameters", "headers", "mediaTypes"):
        for node in survey.of_kind(kind):
            single = node.get("example")
            if single and node.get("examples"):
                yield Finding(message="`example` and `examples` exclude each other", source=single.source)
    for node in survey.of_kind("examples"):
        outside = node.get("externalValue")
        if outside and node.get("value"):
            yield Finding(message="`value` and `externalValue` exclude each other", source=outside.source)


def refused_example(survey: Survey) -> Findings:
    values = survey.root.value
    validators = Validators(values if isinstance(values, dict) else {})
    for schema in survey.of_kind("schemas"):
        for value in _schema_examples(schema):
            yield from _refused(validators, schema, value)
    for header in survey.of_kind("headers"):
        described = header.get("schema")
        for value in _carried_examples(header) if described else ():
            yield from _refused(validators, described or header, value)


def _refused(validators: Validators, schema: Node, value: Node) -> Findings:
    for error in validators.errors(schema.pointer, value.value):
        message = f"the example is refused by its schema: {error.message}"
        yield Finding(message=message, source=value.place)


def _schema_examples(schema: Node) -> list[Node]:
    listed = schema.get("examples")
    single = schema.get("example")
    return [*(listed.elements() if listed else ()), *([single] if single else ())]


def _carried_examples(carrier: Node) -> list[Node]:
    single = carrier.get("example")
    named = [value for _, item in members(carrier, "examples") if (value := item.get("value"))]
    return [*([single] if single else ()), *named]
