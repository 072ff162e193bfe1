"""Roles and operations that do not fit together, found before somebody stands before a closed door."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api
from ..ir.operation import Operation
from ..ir.source import SourceRef
from ..naming import nearest
from ..pointer import join


def roles_reach_operations(api: Api, diagnostics: Diagnostics) -> None:
    """DH048 and DH049, for a platform that describes roles; without, anybody may be given any scope."""
    if not api.roles:
        return
    known = {role.name for role in api.roles}
    granted = {scope for role in api.roles for scope in role.scopes}
    asked = {scope for operation in api.operations for scope in _scopes(operation)}
    document = Node.of(api.document)
    for operation in api.operations:
        at = ("paths", operation.path, operation.method.lower())
        for role in sorted(set(operation.policy.roles) - known):
            place = _find(document.at(join(*at, "x-dhatu", "roles")), role)
            message = f"{operation.key} asks for the role {role!r}, which is not described"
            diagnostics.add(
                "DH048", message, place.place if place else operation.source, hint=_hint(role, known)
            )
        for scope in sorted(_scopes(operation) - granted):
            place = _find(document.at(join(*at, "security")), scope)
            message = f"{operation.key} asks for the scope {scope!r}, which no role grants"
            diagnostics.add(
                "DH049", message, place.place if place else operation.source, hint=_hint(scope, granted)
            )
    # Each once, for a limit that stands at the root of a document counts for each of its operations.
    for counted, where in dict.fromkeys(_limited_roles(api, document)):
        if counted not in known:
            message = f"a limit counts the role {counted!r}, which is not described"
            diagnostics.add("DH048", message, where, hint=_hint(counted, known))
    for role_name, scope, written in _own_scopes(document):
        if scope not in asked:
            message = f"the role {role_name!r} grants the scope {scope!r}, which no operation asks for"
            diagnostics.add("DH048", message, written.place, hint=_hint(scope, asked))


def _scopes(operation: Operation) -> set[str]:
    return {
        scope
        for requirement in operation.security
        for credential in requirement.credentials
        for scope in credential.scopes
    }


def _own_scopes(document: Node) -> Iterator[tuple[str, str, Node]]:
    roles = document.at(join("x-dhatu", "roles"))
    for name, role in roles.members() if roles else ():
        scopes = role.get("scopes")
        for scope in scopes.elements() if scopes else ():
            yield name, str(scope.value), scope


def _limited_roles(api: Api, document: Node) -> Iterator[tuple[str, SourceRef]]:
    """Roles that tiers and limits of operations name, with their places."""
    tiers = document.at(join("x-dhatu", "tiers"))
    limits = [tier for _, tier in tiers.members()] if tiers else []
    for operation in api.operations:
        at = ("paths", operation.path, operation.method.lower())
        written = document.at(join(*at, "x-dhatu", "rate_limit"))
        if written is not None:
            limits += written.elements() if isinstance(written.value, list) else [written]
    for limit in limits:
        for key in ("roles", "except_roles"):
            named = limit.get(key)
            yield from ((str(role.value), role.place) for role in (named.elements() if named else ()))


def _find(node: Node | None, value: str) -> Node | None:
    """Where a text stands in lists and objects."""
    if node is None:
        return None
    if node.value == value:
        return node
    inside: Iterable[Node] = ()
    if isinstance(node.value, dict):
        inside = [member for _, member in node.members()]
    elif isinstance(node.value, list):
        inside = node.elements()
    return next((found for part in inside if (found := _find(part, value)) is not None), None)


def _hint(name: str, known: Iterable[str]) -> str:
    suggestion = nearest(name, tuple(known))
    return f"did you mean {suggestion!r}?" if suggestion else "describe it under roles in platform.yaml"
