"""Operations: one per method and path, in document order."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from ..document import Node
from ..ir.name import Name
from ..ir.operation import Job, Operation, PageStyle, Pagination, TokenTrade
from ..ir.schema import Json
from ..merge import EXTENSION
from ..naming import snake
from ..path_item import operations
from .context import Context
from .parameters import parse_body, parse_parameters, parse_responses
from .policies import parse_policy
from .security import parse_security
from .servers import parse_servers


def parse_operations(context: Context) -> tuple[Operation, ...]:
    """Every operation of the document."""
    paths = context.root.get("paths")
    found: list[Operation] = []
    for path, item in paths.members() if paths else ():
        for method, operation in operations(item):
            found.append(_operation(context, path, item, (method, operation)))
    return _with_successors(found)


def _with_successors(operations: list[Operation]) -> tuple[Operation, ...]:
    """Each deprecated operation with the current one that has its method and path in the newest version."""
    newest: dict[tuple[str, str], Operation] = {}
    for operation in operations:
        if operation.version and not operation.deprecated:
            known = newest.setdefault(_unversioned(operation), operation)
            if _age(operation.version) > _age(known.version):
                newest[_unversioned(operation)] = operation
    return tuple(
        replace(operation, successor=newest[place].key)
        if operation.deprecated and operation.version and (place := _unversioned(operation)) in newest
        else operation
        for operation in operations
    )


def _unversioned(operation: Operation) -> tuple[str, str]:
    return operation.method, operation.path.replace(f"/{operation.version}/", "/", 1)


def _age(version: str) -> tuple[int, str]:
    """What versions are ordered by: v2, v2beta, v10."""
    digits = re.match(r"v([0-9]+)", version)
    return (int(digits[1]) if digits else 0, version)


def _operation(context: Context, path: str, item: Node, found: tuple[str, Node]) -> Operation:
    method, operation = found
    facts = context.root.get(EXTENSION)
    own = operation.get(EXTENSION)
    sdk = own.get("sdk") if own else None
    resource, name = _sdk_names(path, method, operation, sdk)
    security = parse_security(operation)
    return Operation(
        key=".".join(snake(part) for part in (resource, name) if part is not None),
        operation_id=operation.text("operationId"),
        service=own.text("service") if own else "",
        version=_version(path, facts),
        method=method,
        path=path,
        resource=resource,
        name=name,
        positional=sdk.texts("positional") if sdk else (),
        pagination=_pagination(sdk),
        tokens=_tokens(sdk),
        job=_job(sdk),
        summary=operation.text("summary").strip(),
        description=operation.text("description").strip(),
        tags=operation.texts("tags"),
        deprecated=operation.flag("deprecated"),
        sunset=own.text("sunset") if own else "",
        parameters=parse_parameters(context, item, operation),
        body=parse_body(context, operation),
        responses=parse_responses(context, operation),
        security=security,
        servers=parse_servers(operation) or parse_servers(item),
        policy=parse_policy(operation, facts, method, asks_who_calls=bool(security)),
        source=operation.source,
    )


def _sdk_names(path: str, method: str, operation: Node, sdk: Node | None) -> tuple[Name | None, Name]:
    """Resource and method from x-dhatu.sdk, else the first tag and the operationId, else method and path."""
    tags = operation.texts("tags")
    resource = sdk.text("resource", tags[0] if tags else "") if sdk else tags[0] if tags else ""
    otherwise = operation.text("operationId") or f"{method.lower()}{path}"
    name = sdk.text("method", otherwise) if sdk else otherwise
    return (Name.of(resource) if resource else None), Name.of(name)


def _version(path: str, facts: Node | None) -> str:
    """The first segment of the path that platform.yaml knows as a version."""
    versions = facts.get("versions") if facts else None
    known = {version for version, _ in versions.members()} if versions else set[str]()
    return next((segment for segment in path.split("/") if segment in known), "")


def _pagination(sdk: Node | None) -> Pagination | None:
    node = sdk.get("paginate") if sdk else None
    if node is None:
        return None
    style = cast(PageStyle, node.text("style", "cursor"))
    return Pagination(
        style=style,
        parameter="" if style == "link" else node.text("parameter", style),
        cursor=node.text("cursor"),
        items=node.text("items"),
        total=node.text("total"),
    )


def _tokens(sdk: Node | None) -> TokenTrade | None:
    node = sdk.get("tokens") if sdk else None
    if node is None:
        return None
    names = node.get("names")
    return TokenTrade(
        scheme=node.text("scheme"),
        grants=node.texts("grants"),
        names=tuple((name, str(own.value)) for name, own in (names.members() if names else ())),
    )


def _job(sdk: Node | None) -> Job | None:
    node = sdk.get("job") if sdk else None
    if node is None:
        return None
    poll = node.get("poll_s")
    return Job(
        status=node.text("status"),
        parameter=node.text("parameter", "id"),
        id=node.text("id", "id"),
        state=node.text("state", "state"),
        done=_values(node.get("done")),
        failed=_values(node.get("failed")),
        error=node.text("error"),
        poll_s=float(poll.value) if poll is not None and isinstance(poll.value, (int, float)) else 1.0,
    )


def _values(node: Node | None) -> tuple[Json, ...]:
    return tuple(element.value for element in node.elements()) if node is not None else ()
