"""Answers that lead on: how a page or a job is described, and what it is typed as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...ir.operation import Operation
from ...ir.schema import Object
from ..following import Listed, first_page, followed, listed
from .answers import Answer, Answers
from .arguments import TYPES, Arguments
from .components import Components
from .descriptors import pure
from .source import literal, quoted
from .types import type_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """What an answer can do beside being one."""

    kind: Literal["", "page", "job"] = ""
    answer: Answer | None = None
    """The one that leads on."""
    types: str = ""
    """The arguments of its type: `t.Words, string` of `Page<t.Words, string>`."""
    source: str = ""
    """For the descriptor."""

    @property
    def bound(self) -> str:
        """The type of the answer."""
        return f"{self.kind.capitalize()}<{self.types}>"


def going_on(
    operation: Operation,
    operations: Mapping[str, Operation],
    constants: Mapping[str, str],
    components: Components,
) -> GoingOn:
    """How the operation's answer leads on; `constants` are the names of all descriptors by their keys."""
    answer = _told(operation, components)
    if operation.pagination is not None and answer is not None:
        return _page(operation, answer, components)
    if operation.job is not None and answer is not None:
        status = operations.get(operation.job.status)
        if status is not None and not isinstance(followed(operation, status, components.schemas), str):
            return _job(operation, answer, status, constants[status.key], components)
    return GoingOn()


def _page(operation: Operation, answer: Answer, components: Components) -> GoingOn:
    spec = operation.pagination
    found = listed(operation, components.schemas)
    if spec is None or not isinstance(found, Listed):
        return GoingOn()
    first = first_page(operation, spec)
    members = {
        "items": quoted(spec.items),
        "style": quoted(spec.style) if spec.style != "cursor" else "",
        "argument": _argument(Arguments(operation, components), spec.parameter),
        "cursor": quoted(spec.cursor) if spec.cursor else "",
        "total": quoted(spec.total) if spec.total else "",
        "first": str(first) if first != 1 else "",
    }
    item = type_of(components, found.items, "answer", TYPES)
    return GoingOn(
        kind="page", answer=answer, types=f"{answer.type}, {item}", source=pure("page", [_flat(members)])
    )


def _job(
    operation: Operation, answer: Answer, status: Operation, constant: str, components: Components
) -> GoingOn:
    spec, ended = operation.job, _told(status, components)
    if spec is None or ended is None:
        return GoingOn()
    members = {
        "argument": _argument(Arguments(status, components), spec.parameter),
        "id": quoted(spec.id) if spec.id != "id" else "",
        "state": quoted(spec.state) if spec.state != "state" else "",
        "error": quoted(spec.error) if spec.error else "",
        "status": f"() => {constant}",
        "done": literal([*spec.done]),
        "failed": literal([*spec.failed]) if spec.failed else "",
        "pollMs": str(round(spec.poll_s * 1000)) if spec.poll_s != 1 else "",
    }
    types = answer.type if answer.type == ended.type else f"{answer.type}, {ended.type}"
    return GoingOn(kind="job", answer=answer, types=types, source=pure("job", [_flat(members)]))


def _told(operation: Operation, components: Components) -> Answer | None:
    """The one object that an answer may be, as `followed` and `listed` find it."""
    for answer in Answers(operation, components).all:
        if answer.kind == "json" and answer.schema is not None:
            resolved = components.schemas.resolve(answer.schema)
            if isinstance(resolved, Object) and resolved.properties:
                return answer
    return None


def _argument(arguments: Arguments, wire: str) -> str:
    """The argument that becomes a parameter, or a member of the body."""
    for parameter, slot in arguments.parameters:
        if parameter.name.wire == wire:
            return quoted(slot.name)
    for body in arguments.bodies:
        for field in body.fields:
            if field.name == wire:
                return quoted(field.argument)
    return ""


def _flat(members: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{name}: {text}' for name, text in members.items() if text)} }}"
