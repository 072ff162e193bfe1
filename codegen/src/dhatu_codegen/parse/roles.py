"""The roles of platform.yaml, each with everything that it inherits."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.security import Role
from ..naming import nearest


def parse_roles(facts: Node | None, diagnostics: Diagnostics) -> tuple[Role, ...]:
    """In document order. DH048: a role inherits one that does not exist, or itself."""
    listed = facts.get("roles") if facts else None
    written = dict(listed.members()) if listed is not None and isinstance(listed.value, dict) else {}
    for name, node in written.items():
        _check_parents(name, node, written, diagnostics)
    return tuple(_role(name, node, written) for name, node in written.items())


def _check_parents(name: str, node: Node, written: dict[str, Node], diagnostics: Diagnostics) -> None:
    inherits = node.get("inherits")
    for parent in inherits.elements() if inherits else ():
        known = str(parent.value)
        if known not in written:
            suggestion = nearest(known, written)
            hint = f"did you mean {suggestion!r}?" if suggestion else "describe it under roles"
            message = f"the role {name!r} inherits {known!r}, which is not described"
            diagnostics.add("DH048", message, parent.source, hint=hint)
        elif name in _held(known, written):
            message = f"the role {name!r} inherits itself by way of {known!r}"
            diagnostics.add("DH048", message, parent.source, hint="let one inherit the other")


def _held(name: str, written: dict[str, Node]) -> set[str]:
    """The role, and all that it inherits."""
    held: set[str] = set()
    waiting = [name]
    while waiting:
        role = waiting.pop()
        if role in written and role not in held:
            held.add(role)
            waiting += written[role].texts("inherits")
    return held


def _role(name: str, node: Node, written: dict[str, Node]) -> Role:
    held = _held(name, written)
    return Role(
        name=name,
        description=node.text("description").strip(),
        holds=tuple(sorted(held)),
        scopes=tuple(sorted({scope for role in held for scope in written[role].texts("scopes")})),
        source=node.source,
    )
