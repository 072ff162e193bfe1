"""What every hand-written document must be before the merge: valid OpenAPI and x-dhatu, whole references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .diagnostics import Diagnostics
from .document import Map, Node, plain
from .extension import check_extension
from .ir.source import SourceRef
from .pointer import of_reference, tokens

_VERSIONS_READ: Final = ("3.1.", "3.1")
_LITERAL_KEYS: Final = frozenset({"example", "examples", "default", "const", "enum", "x-dhatu"})
"""Below these stand values, in which `$ref` is a key like any other."""


def check_document(document: Map, schema: Map, diagnostics: Diagnostics) -> bool:
    """Report what is wrong with a service's document; True where it can be merged.

    `schema` is spec/x-dhatu.schema.json.
    """
    root = Node.of(document)
    version = root.text("openapi")
    if not version.startswith(_VERSIONS_READ):
        node = root.get("openapi") or root
        message = f"OpenAPI {version} is not read" if version else "`openapi` is missing"
        diagnostics.add("DH021", message, node.place, hint="write the document in OpenAPI 3.1")
        return False
    references_hold = _check_references(root, diagnostics)
    check_extension(root, schema, diagnostics)
    structure_holds = _check_structure(root, diagnostics) if references_hold else False
    return references_hold and structure_holds


def _check_references(root: Node, diagnostics: Diagnostics) -> bool:
    holds = True
    for node in _references(root):
        reference = node.value
        pointer = of_reference(reference) if isinstance(reference, str) else None
        if pointer is None:
            message = f"the reference {reference!r} leads out of the document"
            hint = "put what it names under `components`; identical components are shared when merged"
            diagnostics.add("DH023", message, node.place, hint=hint)
            holds = False
        elif root.at(pointer) is None:
            diagnostics.add("DH022", f"{reference} leads nowhere", node.place, hint=_nearby(root, pointer))
            holds = False
    return holds


def _nearby(root: Node, pointer: str) -> str:
    from .naming import nearest

    *above, last = tokens(pointer)
    parent: Node | None = root
    for token in above:
        parent = parent.step(token) if parent else None
    known = [key for key, _ in parent.members()] if parent else []
    suggestion = nearest(last, known)
    return f"did you mean {suggestion!r}?" if suggestion else f"there is no {last!r} under {'/'.join(above)}"


def _references(node: Node) -> Iterator[Node]:
    """Every `$ref` below a node, each written one once, examples and other literal values left alone."""
    seen: set[int] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current.value, (dict, list)):
            if id(current.value) in seen:
                continue
            seen.add(id(current.value))
        for key, member in current.members():
            if key == "$ref":
                yield member
            elif key not in _LITERAL_KEYS or (key == "default" and current.pointer.endswith("/responses")):
                stack.append(member)
            elif key == "examples" and isinstance(member.value, dict):
                stack += [example for _, example in member.members() if example.get("$ref")]
        stack += current.elements()


def _check_structure(root: Node, diagnostics: Diagnostics) -> bool:
    """Ask the reference validator, and find the places of what it refuses."""
    # Half of codegen's import time; a command that only prints the IR of a merged document does without it.
    from openapi_spec_validator import OpenAPIV31SpecValidator
    from openapi_spec_validator.exceptions import OpenAPIError

    errors: Iterator[Any]
    document: Any = plain(root.value)
    holds = True
    try:
        errors = OpenAPIV31SpecValidator(document).iter_errors()
        for error in errors:
            holds = False
            node = _deepest(root, [str(token) for token in error.absolute_path])
            diagnostics.add("DH020", f"not valid OpenAPI: {error.message}", node)
    except OpenAPIError as error:
        holds = False
        diagnostics.add("DH020", f"not valid OpenAPI: {error}", root.source)
    return holds


def _deepest(root: Node, path: list[str]) -> SourceRef:
    """The place of the deepest node on a path that exists."""
    node = root
    for token in path:
        inner = node.step(token)
        if inner is None:
            break
        node = inner
    return node.source
