"""Pydantic models of the gateway's own endpoints, by datamodel-code-generator."""

from __future__ import annotations

from typing import Any, Final

from ...document import Node, plain
from ...ir.api import SYSTEM, Api
from ...pointer import of_reference, tokens
from ..base import HEADER

_DOCSTRING: Final = '"""Models of what the gateway\'s own endpoints take and answer."""'


def render_models(api: Api) -> str:
    """`models.py`: every schema that an operation of the service `system` can reach."""
    names = _reachable(api)
    if not names:
        return f"# {HEADER}\n{_DOCSTRING}\n"
    schemas = Node.of(api.document).at("/components/schemas")
    components = {
        name: plain(node.value) for name, node in (schemas.members() if schemas else ()) if name in names
    }
    document: dict[str, Any] = {
        "openapi": "3.1.1",
        "info": {"title": api.title, "version": api.version},
        "paths": {},
        "components": {"schemas": components},
    }
    return _generate(document)


def _generate(document: dict[str, Any]) -> str:
    # It brings a Python parser and a type system along; only this one file needs them.
    from datamodel_code_generator import generate
    from datamodel_code_generator.config import GenerateConfig
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import Formatter, PythonVersion
    from datamodel_code_generator.parser import LiteralType

    config = GenerateConfig(
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        formatters=[Formatter.BUILTIN],
        disable_timestamp=True,
        custom_file_header=f"# {HEADER}\n{_DOCSTRING}",
        use_annotated=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_double_quotes=True,
        use_schema_description=True,
        use_single_line_docstring=True,
        use_field_description=True,
        enum_field_as_literal=LiteralType.All,
        collapse_root_models=False,
    )
    return str(generate(document, config=config)).rstrip() + "\n"


def _reachable(api: Api) -> frozenset[str]:
    """The components that the system operations name, and those that these name in turn."""
    root = Node.of(api.document)
    paths = root.get("paths")
    starts: list[Node] = []
    for operation in api.operations:
        item = paths.get(operation.path) if paths else None
        node = item.get(operation.method.lower()) if item else None
        if operation.service == SYSTEM and node is not None:
            starts.append(node)
    names: set[str] = set()
    seen: set[str] = set()
    while starts:
        node = starts.pop()
        reference = node.text("$ref")
        pointer = of_reference(reference) if reference else None
        if pointer and pointer not in seen:
            seen.add(pointer)
            target = root.at(pointer)
            if target is not None:
                starts.append(target)
            path = tokens(pointer)
            if path[:2] == ("components", "schemas"):
                names.add(path[2])
        starts += [member for _, member in node.members()]
        starts += node.elements()
    return frozenset(names)
