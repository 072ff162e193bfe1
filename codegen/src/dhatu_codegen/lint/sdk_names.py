"""What `x-dhatu.sdk` names: each parameter, property and operation has to be there."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..ir.api import Api
from ..ir.operation import Job, Operation, Pagination
from ..ir.schema import Intersection, Object, Ref, Schema, Union
from ..naming import nearest


def sdk_arguments(api: Api, diagnostics: Diagnostics) -> None:
    """DH045: x-dhatu.sdk names parameters, properties and operations that exist."""
    components = {component.name.wire: component.schema for component in api.components}
    operations = {operation.key: operation for operation in api.operations}
    for operation in api.operations:
        arguments = {parameter.name.wire for parameter in operation.parameters}
        arguments |= _body_properties(operation, components)
        for name in operation.positional:
            if name not in arguments:
                _unknown(diagnostics, operation, f"positional names {name!r}", (name, arguments))
        if operation.pagination is not None:
            _check_pages(operation, operation.pagination, components, diagnostics)
        if operation.job is not None:
            _check_job(operation, operation.job, (operations, components), diagnostics)


def _check_pages(
    operation: Operation, pages: Pagination, components: dict[str, Schema], diagnostics: Diagnostics
) -> None:
    asking = {item.name.wire for item in operation.parameters if item.location == "query"}
    asking |= _body_properties(operation, components)
    if pages.style != "link" and pages.parameter not in asking:
        what = f"paginate.parameter names {pages.parameter!r}"
        _unknown(diagnostics, operation, what, (pages.parameter, asking))
    for part, way in (("cursor", pages.cursor), ("items", pages.items), ("total", pages.total)):
        if way or part == "items":
            _check_way(operation, operation, (f"paginate.{part}", way), (components, diagnostics))


def _check_job(
    operation: Operation,
    job: Job,
    known: tuple[dict[str, Operation], dict[str, Schema]],
    diagnostics: Diagnostics,
) -> None:
    operations, components = known
    _check_way(operation, operation, ("job.id", job.id), (components, diagnostics))
    status = operations.get(job.status)
    if status is None:
        _unknown(diagnostics, operation, f"job.status names {job.status!r}", (job.status, {*operations}))
        return
    parameters = {item.name.wire for item in status.parameters}
    if job.parameter not in parameters:
        what = f"job.parameter names {job.parameter!r}"
        _unknown(diagnostics, operation, what, (job.parameter, parameters), of=status)
    for part, way in (("state", job.state), ("error", job.error)):
        if way or part == "state":
            _check_way(operation, status, (f"job.{part}", way), (components, diagnostics))


def _check_way(
    operation: Operation,
    answering: Operation,
    named: tuple[str, str],
    known: tuple[dict[str, Schema], Diagnostics],
) -> None:
    """Follow `meta.next_cursor` into the answers of an operation, as far as their schemas say anything."""
    part, way = named
    components, diagnostics = known
    schemas = [
        payload.schema
        for response in answering.responses
        if response.status.startswith("2")
        for payload in response.payloads
    ]
    for step in way.split("."):
        names = set[str]().union(*(property_names(schema, components) for schema in schemas))
        if step not in names:
            _unknown(diagnostics, operation, f"{part} names {way!r}", (step, names), of=answering)
            return
        schemas = [found for schema in schemas for found in members(schema, step, components)]


def _body_properties(operation: Operation, components: dict[str, Schema]) -> set[str]:
    payloads = operation.body.payloads if operation.body else ()
    return set[str]().union(*(property_names(payload.schema, components) for payload in payloads))


def property_names(schema: Schema | None, components: dict[str, Schema]) -> set[str]:
    """The properties that a value of this schema may have by name."""
    return {item.name.wire for found in _objects(schema, components) for item in found.properties}


def members(schema: Schema | None, name: str, components: dict[str, Schema]) -> list[Schema]:
    """What that property may be."""
    return [
        item.schema
        for found in _objects(schema, components)
        for item in found.properties
        if item.name.wire == name
    ]


def _objects(schema: Schema | None, components: dict[str, Schema], depth: int = 8) -> list[Object]:
    """The objects that a value of this schema may be, or has to be at once; `depth` bounds the recursion."""
    match schema:
        case Object():
            return [schema]
        case Ref() if depth and schema.component in components:
            return _objects(components[schema.component], components, depth - 1)
        case Union(variants=inner) | Intersection(parts=inner) if depth:
            return [found for item in inner for found in _objects(item, components, depth - 1)]
        case _:
            return []


def _unknown(
    diagnostics: Diagnostics,
    operation: Operation,
    what: str,
    name_and_known: tuple[str, set[str]],
    of: Operation | None = None,
) -> None:
    suggestion = nearest(*name_and_known)
    hint = (
        f"did you mean {suggestion!r}?"
        if suggestion
        else f"known names: {', '.join(sorted(name_and_known[1]))}"
    )
    owner = "it" if of is None or of is operation else of.key
    message = f"x-dhatu.sdk of {operation.key}: {what}, which {owner} does not have"
    diagnostics.add("DH045", message, operation.source, hint=hint)
