"""What answers hold that lead on, a list to its next page or a job to its end, whatever the language."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ..ir.operation import Operation, Pagination, Response
from ..ir.schema import Array, Object, Schema
from .schemas import Schemas


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The items of a page, as the document describes them."""

    page: Object
    items: Schema


def listed(operation: Operation, schemas: Schemas, taken: AbstractSet[str] = frozenset()) -> Listed | str:
    """What a page of the operation holds, or why an SDK cannot go on from it.

    `taken` are names that no member of the page may have.
    """
    pagination = operation.pagination
    assert pagination is not None, "the caller has looked"
    page = _told(operation, schemas)
    if page is None or len(_successes(operation)) > 1:
        return "its answer is not one object"
    if hidden := taken & _names(page):
        return f"its answer has a member {', '.join(sorted(hidden))} of its own"
    found: Schema = page
    for step in pagination.items.split("."):
        member = _member(schemas.resolve(found), step)
        if member is None:
            return f"its answer has no {pagination.items}"
        found = member
    array = schemas.resolve(found)
    return Listed(page=page, items=array.items) if isinstance(array, Array) else "its items are no array"


def followed(
    operation: Operation, status: Operation | None, schemas: Schemas, taken: AbstractSet[str] = frozenset()
) -> Object | str:
    """What the operation tells of its job, or why an SDK cannot follow that."""
    begun = _told(operation, schemas)
    if begun is None or status is None or _told(status, schemas) is None:
        return "its answer, or that of its status operation, is not one object"
    if hidden := taken & _names(begun):
        return f"its answer has a member {', '.join(sorted(hidden))} of its own"
    return begun


def bodiless(operation: Operation, response: Response) -> bool:
    """Whether nothing comes back: HTTP allows 204, 205 and the answers to HEAD no content, whatever a
    document says (RFC 9110, sections 9.3.2, 15.3.5 and 15.3.6)."""
    return not response.payloads or operation.method == "HEAD" or response.status in ("204", "205")


def first_page(operation: Operation, pagination: Pagination) -> int:
    """What the server takes for granted where the page or the offset is not given."""
    if pagination.style not in ("page", "offset"):
        return 1
    for parameter in operation.parameters:
        if parameter.name.wire == pagination.parameter:
            schema = parameter.schema
            for value in (schema.default, schema.constraints.get("minimum")):
                if isinstance(value, int):
                    return int(value)
    return 1 if pagination.style == "page" else 0


def _told(operation: Operation, schemas: Schemas) -> Object | None:
    """The one object that a success may hold."""
    found = [schemas.resolve(schema) for schema in _successes(operation) if schema is not None]
    objects = [schema for schema in found if isinstance(schema, Object) and schema.properties]
    return objects[0] if len(objects) == 1 else None


def _successes(operation: Operation) -> list[Schema | None]:
    """What each kind of success holds; None where that is nothing, or bytes."""
    return [
        payload.schema if payload is not None and payload.kind == "json" else None
        for response in operation.responses
        if response.status.startswith("2")
        for payload in ((None,) if bodiless(operation, response) else response.payloads)
    ]


def _member(schema: Schema, name: str) -> Schema | None:
    members = schema.properties if isinstance(schema, Object) else ()
    return next((member.schema for member in members if member.name.wire == name), None)


def _names(found: Object) -> set[str]:
    return {"_".join(member.name.words) for member in found.properties}
