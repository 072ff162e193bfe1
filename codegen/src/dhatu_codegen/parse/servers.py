"""Servers: of the document, of a path, or of one operation."""

from __future__ import annotations

from ..document import Node
from ..ir.server import Server, ServerVariable


def parse_servers(node: Node | None) -> tuple[Server, ...]:
    """The servers that a document, a path or an operation lists; none where it lists none."""
    listed = node.get("servers") if node else None
    return tuple(
        Server(
            url=server.text("url"),
            description=server.text("description"),
            variables=_variables(server),
            source=server.source,
        )
        for server in (listed.elements() if listed else ())
    )


def _variables(server: Node) -> tuple[ServerVariable, ...]:
    listed = server.get("variables")
    found: list[ServerVariable] = []
    for name, node in listed.members() if listed else ():
        default = node.get("default")
        found.append(
            ServerVariable(
                name=name,
                default=str(default.value) if default is not None else "",
                values=node.texts("enum"),
                description=node.text("description"),
            )
        )
    return tuple(found)
