"""The stage that checks path, query, headers and cookies against the specification."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema_rs

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Parameter, Route, Validation
from dhatu_gateway.core.validation.refusals import Watch, refusal
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

    def names_in(self, query: Query) -> set[str]:
        """Return the names in a query that belong to this parameter."""
        if self.spread == "deepObject":
            return {name for name in query if name.startswith(f"{self.name}[")}
        return set(_own_names(self))

    def wrong(self, detail: str) -> FieldError:
        return FieldError(location=self.location, name=self.name, detail=detail)


Check = Callable[[Exchange, list[FieldError]], None]
"""Adds what is wrong with one part of a request."""


def build_parameters(
    route: Route, schemas: Schemas, watch: Watch
) -> Callable[[Exchange], list[FieldError]] | None:
    """Return what lists the errors for which a request is refused; None where nothing is looked at.

    Unknown parameters in the query are among them. What is only watched goes to `watch`.
    """
    rules = tuple(build_rule(parameter, schemas) for parameter in route.parameters if _is_checked(parameter))
    enforced = tuple(_checks(route, rules, "enforce"))
    watched = tuple(_checks(route, rules, "log"))
    if not watched:
        return _collector(enforced) if enforced else None

    def check_and_log(exchange: Exchange) -> list[FieldError]:
        seen: list[FieldError] = []
        for check in watched:
            try:
                check(exchange, seen)
            except ProblemError as error:
                watch(exchange, error)
        if seen:
            watch(exchange, refusal(seen))
        return collect(exchange)

    collect = _collector(enforced)
    return check_and_log


def _collector(checks: tuple[Check, ...]) -> Callable[[Exchange], list[FieldError]]:
    def collect(exchange: Exchange) -> list[FieldError]:
        errors: list[FieldError] = []
        for check in checks:
            check(exchange, errors)
        return errors

    return collect


def _checks(route: Route, rules: tuple[Rule, ...], mode: Validation) -> Iterator[Check]:
    """Yield the checks of those parts that are treated in one way."""
    validate = route.validate
    if validate.query == mode:
        yield _query_check(rules)
    for rule in rules:
        if (rule.location == "path" and validate.path == mode) or (
            rule.location == "header" and validate.headers == mode
        ):
            yield _single_check(rule, route)
    cookies = tuple(rule for rule in rules if rule.location == "cookie")
    if cookies and validate.cookies == mode:
        yield lambda exchange, errors: _check_cookies(exchange, cookies, errors)


def _is_checked(parameter: Parameter) -> bool:
    return parameter.location != "header" or parameter.name.lower() not in _NOT_HEADERS


def build_rule(parameter: Parameter, schemas: Schemas) -> Rule:
    """Prepare the check of one parameter."""
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


def _query_check(rules: Sequence[Rule]) -> Check:
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


def parse_query(query: bytes, what: str = "query", most: int = MAX_QUERY_PARAMETERS) -> Query:
    """Split a query, or a form, into names, decoded, and values, as written; raises `ProblemError`."""
    if not query.isascii():
        raise ProblemError("malformed-request", f"The {what} has bytes that must be percent-encoded.")
    parsed: Query = {}
    parts = query.decode("ascii").split("&")
    if len(parts) > most:
        raise ProblemError("invalid-request", f"The {what} may have {most} parameters.")
    for part in parts:
        if part:
            name, _, value = part.partition("=")
            try:
                parsed.setdefault(decode_query(name), []).append(value)
            except ValueError as error:
                raise ProblemError("malformed-request", f"A name in the {what} {error}.") from error
    return parsed


def _own_names(rule: Rule) -> Sequence[str]:
    if rule.spread == "form":
        return tuple(rule.shape.properties)
    return () if rule.spread == "deepObject" else (rule.name,)


def _check_in_query(rule: Rule, query: Query, errors: list[FieldError]) -> None:
    try:
        found, value = value_in_query(rule, query)
    except ValueError as error:
        errors.append(rule.wrong(str(error)))
        return
    if found:
        errors += rule.check(value)
    elif rule.required:
        errors.append(rule.wrong("is required"))


def value_in_query(rule: Rule, query: Query) -> tuple[bool, Any]:
    """Return whether a parameter is there, and its value; raises `ValueError` with words for the caller."""
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


def _single_check(rule: Rule, route: Route) -> Check:
    if rule.location == "path":
        names = _TEMPLATE_VARIABLE.findall(route.path)
        if rule.name not in names:
            raise ValueError(f"{route.operation}: the path {route.path} has no variable {rule.name!r}")
        index: int = names.index(rule.name)
        return lambda exchange, errors: check_text(rule, exchange.path_values[index], errors)
    field = rule.name.lower().encode("ascii")

    def check_header(exchange: Exchange, errors: list[FieldError]) -> None:
        value = exchange.fields.get(field)
        check_text(rule, None if value is None else value.decode("latin-1"), errors)

    return check_header


def check_text(rule: Rule, text: str | None, errors: list[FieldError]) -> None:
    """Add what is wrong with a value as written; None where it was not sent."""
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
        check_text(rule, cookies.get(rule.name), errors)


def _cookies(field: bytes) -> Mapping[str, str]:
    """Read a Cookie field (RFC 6265 section 4.2.1); of a repeated name the first counts."""
    cookies: dict[str, str] = {}
    for pair in field.decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        cookies.setdefault(name, value.removeprefix('"').removesuffix('"'))
    return cookies
