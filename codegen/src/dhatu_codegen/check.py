"""What every hand-written document must be before the merge: valid OpenAPI and x-dhatu, whole references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs

from .diagnostics import Diagnostics
from .document import Map, Node, plain
from .extension import check_extension
from .ir.schema import Json
from .ir.source import SourceRef
from .naming import nearest
from .pointer import join, of_reference, tokens
from .validators import Validators
from .walk import structure

_META_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_OPERATION: Final = re.compile(r"'(?P<method>[a-z]+)' operation in '(?P<path>[^']+)'")
_UNEXPECTED: Final = re.compile(r"properties are not allowed \('(?P<key>[^']+)'")
_VERSIONS_READ: Final = ("3.1.", "3.1")


def check_document(document: Map, schema: Map, diagnostics: Diagnostics) -> bool:
    """Report what is wrong with a service's document; True where it can be merged.

    `schema` is spec/x-dhatu.schema.json.
    """
    root = Node.of(document)
    version = root.text("openapi")
    if swagger := root.get("swagger"):
        hint = "convert it to OpenAPI 3 first; 3.0, 3.1 and 3.2 are read"
        diagnostics.add("DH021", f"Swagger {swagger.value} is not read", swagger.place, hint=hint)
        return False
    if not version.startswith(_VERSIONS_READ):
        node = root.get("openapi") or root
        message = f"OpenAPI {version} is not read" if version else "`openapi` is missing"
        diagnostics.add("DH021", message, node.place, hint="write the document in OpenAPI 3.0, 3.1 or 3.2")
        return False
    references_hold = _check_references(root, diagnostics)
    check_extension(root, schema, diagnostics)
    structure_holds = _check_structure(root, document, diagnostics) if references_hold else False
    return references_hold and structure_holds


def _check_references(root: Node, diagnostics: Diagnostics) -> bool:
    holds = True
    for holder in structure(root):
        node = holder.get("$ref")
        if node is None:
            continue
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
    *above, last = tokens(pointer)
    parent: Node | None = root
    for token in above:
        parent = parent.step(token) if parent else None
    known = [key for key, _ in parent.members()] if parent else []
    suggestion = nearest(last, known)
    return f"did you mean {suggestion!r}?" if suggestion else f"there is no {last!r} under {'/'.join(above)}"


def check_schemas(root: Node, document: Map, diagnostics: Diagnostics) -> bool:
    """Every schema is one, and allows its own default. The reference validator does not say where."""
    holds = True
    meta = jsonschema_rs.Draft202012Validator({"$ref": _META_SCHEMA})
    validators = Validators(document)
    for holder in structure(root):
        schema = holder.get("schema")
        named = holder.get("schemas") if holder.pointer == "/components" else None
        for node in [schema] if schema else [member for _, member in named.members()] if named else []:
            for error in meta.iter_errors(plain(node.value)):
                holds = False
                at = node.at(join(*(str(token) for token in error.instance_path))) or node
                diagnostics.add("DH020", f"not a valid schema: {error.message}", at.place)
    for holder in structure(root) if holds else ():
        default = holder.get("default")
        for error in validators.errors(holder.pointer, default.value) if default else ():
            holds = False
            text = f"the default is refused by its own schema: {error.message}"
            diagnostics.add("DH042", text, default.place if default else holder.source)
    return holds


def _check_structure(root: Node, document: Map, diagnostics: Diagnostics) -> bool:
    """Ask the reference validator, and find the places of what it refuses."""
    # Half of codegen's import time, which nothing but this needs.
    from openapi_spec_validator import OpenAPIV31SpecValidator
    from openapi_spec_validator.exceptions import OpenAPIError
    from referencing.exceptions import Unresolvable

    schemas_hold = holds = check_schemas(root, document, diagnostics)
    checked: Any = _without_named_schemas(document)
    try:
        errors: Iterator[Any] = OpenAPIV31SpecValidator(checked).iter_errors()
        for error in errors:
            source = _place_of(root, [str(token) for token in error.absolute_path], str(error.message))
            if schemas_hold or source != root.source:
                diagnostics.add("DH020", f"not valid OpenAPI: {str(error.message).splitlines()[0]}", source)
                holds = False
    except (OpenAPIError, Unresolvable) as error:
        diagnostics.add("DH020", f"not valid OpenAPI: {error}", root.source)
        holds = False
    return holds


def _without_named_schemas(document: Map) -> Json:
    """A copy whose named schemas allow anything.

    They have been checked as what they are. The reference validator follows each as often as it is mentioned,
    and never comes back from a parent whose `oneOf` lists a child that is `allOf` the parent.
    """
    copy: dict[str, Json] = {**document}
    components = document.get("components")
    if isinstance(components, dict) and isinstance(named := components.get("schemas"), dict):
        copy["components"] = {**components, "schemas": {name: {} for name in named}}
    return plain(copy)


def _place_of(root: Node, path: list[str], message: str) -> SourceRef:
    """The deepest node on a path that exists; where the message names a key or an operation, that one."""
    operation = _OPERATION.search(message)
    if operation is not None:
        path = ["paths", operation["path"], operation["method"]]
    node = root
    for token in path:
        inner = node.step(token)
        if inner is None:
            break
        node = inner
    unexpected = _UNEXPECTED.search(message)
    named = node.get(unexpected["key"]) if unexpected else None
    return (named or node).source
