"""The stage that checks path, query, headers and cookies against the specification."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema_rs

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Parameter, Route
from dhatu_gateway.core.validation.body import log_refusal, refusal
from dhatu_gateway.core.validation.schema_errors import parameter_errors
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.styles import (
    Reader,
    build_reader,
    decode_path,
    decode_query,
    read_members,
    verbatim,
)
from dhatu_gateway.core.validation.values import Shape, shape_of

MAX_QUERY_PARAMETERS = 256

_TEMPLATE_VARIABLE = re.compile(r"\{([^{}]+)\}")
# OpenAPI 3.1, section 4.8.12.1: parameters with these names are ignored, since other keywords describe them.
_NOT_HEADERS = frozenset({"accept", "content-type", "authorization"})
_DECODERS = {"path": decode_path, "query": decode_query, "header": verbatim, "cookie": verbatim}

Query = dict[str, list[str]]
"""Values by decoded name, as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One parameter, ready to be checked."""

    name: str
    location: Literal["path", "query", "header", "cookie"]
    required: bool
    read: Reader
    validator: jsonschema_rs.Validator | None
    shape: Shape
    spread: Literal["", "array", "form", "deepObject"]
    """How the value is spread over several query parameters."""

    def check(self, value: Any) -> Sequence[FieldError]:
        if self.validator is None or self.validator.is_valid(value):
            return ()
        return list(parameter_errors(self.validator.iter_errors(value), self.location, self.name))

    def wrong(self, detail: str) -> FieldError:
        return FieldError(location=self.location, name=self.name, detail=detail)


def build_parameters(route: Route, schemas: Schemas) -> Stage | None:
    """Check a route's parameters and refuse unknown ones in the query."""
    if route.validate_request == "off":
        return None
    rules = tuple(_rule(parameter, schemas) for parameter in route.parameters if _is_checked(parameter))
    checks: list[Callable[[Exchange, list[FieldError]], None]] = [_query_check(rules)]
    checks += [_single_check(rule, route) for rule in rules if rule.location in ("path", "header")]
    cookies = tuple(rule for rule in rules if rule.location == "cookie")
    if cookies:
        checks.append(lambda exchange, errors: _check_cookies(exchange, cookies, errors))
    logs = route.validate_request == "log"

    def validate_parameters(exchange: Exchange) -> None:
        errors: list[FieldError] = []
        for check in checks:
            check(exchange, errors)
        if errors:
            error = refusal(errors)
            if not logs:
                raise error
            log_refusal(route, error)

    return validate_parameters


def _is_checked(parameter: Parameter) -> bool:
    return parameter.location != "header" or parameter.name.lower() not in _NOT_HEADERS


def _rule(parameter: Parameter, schemas: Schemas) -> Rule:
    shape = shape_of(schemas.at(parameter.schema) if parameter.schema else {}, schemas)
    spread: Literal["", "array", "form", "deepObject"] = ""
    if parameter.location == "query" and not parameter.content_type:
        if parameter.style == "deepObject":
            spread = "deepObject"
        elif parameter.explode and shape.kind != "scalar":
            spread = "array" if shape.kind == "array" else "form"
    return Rule(
        name=parameter.name,
        location=parameter.location,
        required=parameter.required,
        read=_item_reader(shape) if spread else build_reader(parameter, shape, _DECODERS[parameter.location]),
        validator=schemas.validator(parameter.schema) if parameter.schema else None,
        shape=shape,
        spread=spread,
    )


def _item_reader(shape: Shape) -> Reader:
    return lambda text: shape.scalar(decode_query(text))


# -- query


def _query_check(rules: Sequence[Rule]) -> Callable[[Exchange, list[FieldError]], None]:
    rules = tuple(rule for rule in rules if rule.location == "query")
    required = any(rule.required for rule in rules)
    known = {name for rule in rules for name in _own_names(rule)}
    prefixes = tuple(f"{rule.name}[" for rule in rules if rule.spread == "deepObject")
    listed = ", ".join(sorted(known)) or "none"

    def check_query(exchange: Exchange, errors: list[FieldError]) -> None:
        if not exchange.query and not required:
            return
        query = parse_query(exchange.query)
        for name in query:
            if name not in known and not (prefixes and name.startswith(prefixes)):
                detail = f"is not known here; known: {listed}"
                errors.append(FieldError(location="query", name=name[:100], detail=detail))
        for rule in rules:
            _check_in_query(rule, query, errors)

    return check_query


def parse_query(query: bytes) -> Query:
    """Split a query into names, decoded, and values, as written; raises `ProblemError`."""
    if not query.isascii():
        raise ProblemError("malformed-request", "The query has bytes that must be percent-encoded.")
    parsed: Query = {}
    parts = query.decode("ascii").split("&")
    if len(parts) > MAX_QUERY_PARAMETERS:
        raise ProblemError("invalid-request", f"A query may have {MAX_QUERY_PARAMETERS} parameters.")
    for part in parts:
        if part:
            name, _, value = part.partition("=")
            try:
                parsed.setdefault(decode_query(name), []).append(value)
            except ValueError as error:
                raise ProblemError("malformed-request", f"A name in the query {error}.") from error
    return parsed


def _own_names(rule: Rule) -> Sequence[str]:
    if rule.spread == "form":
        return tuple(rule.shape.properties)
    return () if rule.spread == "deepObject" else (rule.name,)


def _check_in_query(rule: Rule, query: Query, errors: list[FieldError]) -> None:
    try:
        found, value = _value_in_query(rule, query)
    except ValueError as error:
        errors.append(rule.wrong(str(error)))
        return
    if found:
        errors += rule.check(value)
    elif rule.required:
        errors.append(rule.wrong("is required"))


def _value_in_query(rule: Rule, query: Query) -> tuple[bool, Any]:
    match rule.spread:
        case "array":
            values = query.get(rule.name)
            return values is not None, [rule.read(value) for value in values or ()]
        case "form":
            names = {name: name for name in rule.shape.properties if name in query}
        case "deepObject":
            start = f"{rule.name}["
            names = {
                name: name[len(start) : -1] for name in query if name.startswith(start) and name[-1] == "]"
            }
        case "":
            values = query.get(rule.name)
            if values is None:
                return False, None
            if len(values) > 1:
                raise ValueError("is sent more than once")
            return True, rule.read(values[0])
    entries = [(member, decode_query(value)) for name, member in names.items() for value in query[name]]
    return bool(entries), read_members(entries, rule.shape)


# -- path, headers, cookies


def _single_check(rule: Rule, route: Route) -> Callable[[Exchange, list[FieldError]], None]:
    if rule.location == "path":
        names = _TEMPLATE_VARIABLE.findall(route.path)
        if rule.name not in names:
            raise ValueError(f"{route.operation}: the path {route.path} has no variable {rule.name!r}")
        index: int = names.index(rule.name)
        return lambda exchange, errors: _check_text(rule, exchange.path_values[index], errors)
    field = rule.name.lower().encode("ascii")

    def check_header(exchange: Exchange, errors: list[FieldError]) -> None:
        value = exchange.fields.get(field)
        _check_text(rule, None if value is None else value.decode("latin-1"), errors)

    return check_header


def _check_text(rule: Rule, text: str | None, errors: list[FieldError]) -> None:
    if text is None:
        if rule.required:
            errors.append(rule.wrong("is required"))
        return
    try:
        value = rule.read(text)
    except ValueError as error:
        errors.append(rule.wrong(str(error)))
    else:
        errors += rule.check(value)


def _check_cookies(exchange: Exchange, rules: Sequence[Rule], errors: list[FieldError]) -> None:
    cookies = _cookies(exchange.fields.get(b"cookie", b""))
    for rule in rules:
        _check_text(rule, cookies.get(rule.name), errors)


def _cookies(field: bytes) -> Mapping[str, str]:
    """Read a Cookie field (RFC 6265 section 4.2.1); of a repeated name the first counts."""
    cookies: dict[str, str] = {}
    for pair in field.decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        cookies.setdefault(name, value.removeprefix('"').removesuffix('"'))
    return cookies
