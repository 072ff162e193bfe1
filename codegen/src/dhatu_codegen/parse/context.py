"""What every parser needs: the document, a way to follow references, and a place for problems."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..diagnostics import Diagnostics
from ..document import Node
from ..pointer import of_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One run over one document."""

    root: Node
    diagnostics: Diagnostics
    following: frozenset[str] = frozenset()
    """Pointers of the nameless schemas that are being parsed because a `$ref` led there."""
    circular: dict[str, str] = field(default_factory=dict[str, str])
    """Pointers of the nameless schemas that mention themselves, and the keys they get as components."""

    def follow(self, node: Node) -> Node:
        """What a chain of `$ref` leads to; the node itself where there is none.

        For parameters, bodies, responses, headers and examples; a schema that names a component is a `Ref`.
        """
        seen: set[str] = set()
        while reference := node.text("$ref"):
            pointer = of_reference(reference)
            target = self.root.at(pointer) if pointer is not None else None
            if target is None or target.pointer in seen:
                problem = "leads back to itself" if target else "leads nowhere"
                self.diagnostics.add("DH022", f"{reference} {problem}", node.source)
                return node
            seen.add(target.pointer)
            node = target
        return node
