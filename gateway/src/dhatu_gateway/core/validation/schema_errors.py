"""What a schema says is wrong, in words for the caller: the part, and what to do about it.

Values are never repeated: they may be secret, and they may be long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

import orjson
from jsonschema_rs import ValidationError

from dhatu_gateway.core.problem import FieldError
from dhatu_gateway.core.validation.refusals import MAX_ERRORS, pointer_token
from dhatu_gateway.core.validation.sides import READ_ONLY, WRITE_ONLY

_TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def body_errors(errors: Iterable[ValidationError]) -> tuple[FieldError, ...]:
    """Name each part of a body by its JSON Pointer."""
    parts = (FieldError(location="body", name=name, detail=text) for name, text in _flattened(errors))
    return tuple(dict.fromkeys(islice(parts, MAX_ERRORS)))


def parameter_errors(
    errors: Iterable[ValidationError], location: Literal["path", "query", "header", "cookie"], parameter: str
) -> Iterator[FieldError]:
    """Name each part of a parameter by its name and, inside it, its JSON Pointer."""
    for name, text in islice(_flattened(errors), MAX_ERRORS):
        yield FieldError(location=location, name=parameter + name, detail=text)


def _flattened(errors: Iterable[ValidationError]) -> Iterator[tuple[str, str]]:
    errors = list(islice(errors, MAX_ERRORS))
    for error in errors:
        path = "".join(f"/{pointer_token(part)}" for part in error.instance_path)
        facts = error.kind.as_dict()
        match error.kind.name:
            case "required":
                yield f"{path}/{pointer_token(facts['property'])}", "is required"
            case "unevaluatedProperties" if _has_others(error, errors):
                pass  # what a part describes that does not hold counts as not evaluated, known or not
            case "additionalProperties" | "unevaluatedProperties":
                for name in facts["unexpected"]:
                    yield f"{path}/{pointer_token(name)}", "is not known here"
            case "oneOf" | "anyOf" if facts.get("context"):
                yield from _of_alternatives(error, path, facts["context"])
            case name:
                yield path, _describe(name, facts)


def _has_others(error: ValidationError, errors: list[ValidationError]) -> bool:
    depth = len(error.instance_path)
    return any(other is not error and other.instance_path[:depth] == error.instance_path for other in errors)


def _of_alternatives(
    parent: ValidationError, path: str, alternatives: list[list[ValidationError]]
) -> Iterator[tuple[str, str]]:
    """Speak of the alternative that was meant: the one of the right type whose fixed values are right."""
    wrong_types = [[e for e in errors if _is_type_of(parent, e)] for errors in alternatives]
    if all(wrong_types):
        yield (
            path,
            _of_types(name for errors in wrong_types for e in errors for name in e.kind.as_dict()["types"]),
        )
        return
    fixed = [next((e for e in errors if _is_fixed(e)), None) for errors in alternatives]
    meant = [
        errors
        for errors, wrong, value in zip(alternatives, wrong_types, fixed, strict=True)
        if not wrong and value is None
    ]
    if len(meant) == 1:
        yield from _flattened(meant[0])
        return
    values = [error for error in fixed if error is not None]
    places = {tuple(error.instance_path) for error in values}
    if not meant and len(places) == 1:
        name = "".join(f"/{pointer_token(part)}" for part in values[0].instance_path)
        yield name, f"must be one of {_listed(map(_fixed_value, values))}"
        return
    yield path, "matches none of the forms, or more than one, that are described here"


def _is_type_of(parent: ValidationError, error: ValidationError) -> bool:
    return error.kind.name == "type" and error.instance_path == parent.instance_path


def _is_fixed(error: ValidationError) -> bool:
    """Whether the error is about a value that tells the alternatives apart."""
    return error.kind.name == "const" or (
        error.kind.name == "enum" and len(error.kind.as_dict()["options"]) == 1
    )


def _fixed_value(error: ValidationError) -> Any:
    facts = error.kind.as_dict()
    return facts["expected_value"] if error.kind.name == "const" else facts["options"][0]


def _describe(keyword: str, facts: dict[str, Any]) -> str:
    limit = facts.get("limit")
    match keyword:
        case "type":
            return _of_types(facts["types"])
        case "enum":
            return f"must be one of {_listed(facts['options'])}"
        case "const":
            return f"must be {_listed([facts['expected_value']])}"
        case "minimum":
            return f"must be at least {limit}"
        case "maximum":
            return f"must be at most {limit}"
        case "exclusiveMinimum":
            return f"must be more than {limit}"
        case "exclusiveMaximum":
            return f"must be less than {limit}"
        case "multipleOf":
            return f"must be a multiple of {facts['multiple_of']}"
        case "format":
            return f"must have the format {facts['format']}"
        case "not" if facts.get("schema") == READ_ONLY["not"]:
            return "is set by the service; leave it out"
        case "not" if facts.get("schema") == WRITE_ONLY["not"]:
            return "is never told; the service must leave it out"
        case "pattern":
            return f"must match the pattern {facts['pattern']}"
        case _:
            return _of_sizes(keyword, limit)


def _of_sizes(keyword: str, limit: Any) -> str:
    match keyword:
        case "minLength":
            return f"must have at least {limit} characters"
        case "maxLength":
            return f"may have at most {limit} characters"
        case "minItems":
            return f"must have at least {limit} items"
        case "maxItems":
            return f"may have at most {limit} items"
        case "minProperties":
            return f"must have at least {limit} members"
        case "maxProperties":
            return f"may have at most {limit} members"
        case "uniqueItems":
            return "must not hold the same item twice"
        case "falseSchema":
            return "is not allowed here"
        case _:
            return f"does not satisfy {keyword}"


def _of_types(types: Iterable[str]) -> str:
    return "must be " + " or ".join(_TYPES.get(name, name) for name in dict.fromkeys(types))


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(orjson.dumps(value).decode() for value in values)
