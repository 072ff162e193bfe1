"""The modules of the models, by datamodel-code-generator."""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...ir.schema import Json
from ..base import TargetError
from .model_document import Mentioned
from .model_extras import with_typed_extras
from .model_modules import VARIANT, part
from .schema_writer import UNLISTED, JsonSchema

_LINE_LENGTH: Final = 110
_STAND_IN: Final = re.compile(r"\bStandin\d{6}Model\b")


class ModelError(TargetError):
    """datamodel-code-generator gave something else than what it was asked for."""


def render_models(mentioned: Mentioned, package: str) -> dict[str, str]:
    """Path below `models/` to text: a class or an alias for every schema, under exactly its name.

    Raises `ModelError`.
    """
    if not mentioned.schemas:
        return part("")
    unlisted: dict[str, JsonSchema] = {name: {"type": kind} for kind, name in UNLISTED.values()}
    all_schemas = mentioned.schemas | unlisted
    # It knows names of its own, which it renames; these are none of them, and stand in the same order.
    stand_ins = {name: f"Standin{number:06}Model" for number, name in enumerate(sorted(all_schemas))}
    with tempfile.TemporaryDirectory() as directory:
        written, metadata = Path(directory, "models.py"), Path(directory, "models.json")
        schemas = {stand_ins[name]: _renamed(all_schemas[name], stand_ins) for name in stand_ins}
        _generate(schemas, package, written, metadata)
        text = written.read_text(encoding="utf-8")
        _check_names(stand_ins, json.loads(metadata.read_text(encoding="utf-8")))
    names = {stand_in: name for name, stand_in in stand_ins.items()}
    text = _STAND_IN.sub(lambda found: names[found[0]], text)
    return part(with_typed_extras(_with_open_unions(text, mentioned.unions)))


def _renamed(schema: Json, names: Mapping[str, str]) -> Json:
    """A schema whose references lead to the other names."""
    if not isinstance(schema, dict):
        return schema
    written: JsonSchema = dict(schema)
    for keyword, value in schema.items():
        match keyword, value:
            case "$ref", str():
                written[keyword] = _reference(value, names)
            case "properties", dict():
                written[keyword] = {name: _renamed(member, names) for name, member in value.items()}
            case "items" | "additionalProperties", dict():
                written[keyword] = _renamed(value, names)
            case "anyOf" | "oneOf", list():
                written[keyword] = [_renamed(variant, names) for variant in value]
            case "discriminator", {"mapping": dict() as mapping, "propertyName": tag}:
                mapped: JsonSchema = {name: _reference(str(to), names) for name, to in mapping.items()}
                written[keyword] = {"propertyName": tag, "mapping": mapped}
            case _:
                pass
    return written


def _reference(reference: str, names: Mapping[str, str]) -> str:
    before, _, name = reference.rpartition("/")
    return f"{before}/{names[name]}"


def _generate(schemas: JsonSchema, package: str, output: Path, metadata: Path) -> None:
    # It brings a Python parser and a type system along, which takes a quarter of a second.
    from datamodel_code_generator import Error, generate
    from datamodel_code_generator.config import GenerateConfig
    from datamodel_code_generator.enums import DataModelType, InputFileType, OpenAPIScope
    from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion
    from datamodel_code_generator.parser import LiteralType

    config = GenerateConfig(
        input_file_type=InputFileType.OpenAPI,
        openapi_scopes=[OpenAPIScope.Schemas],
        output=output,
        emit_model_metadata=metadata,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        base_class=f"{package}._models.BaseModel",
        formatters=[Formatter.BUILTIN],
        builtin_format_line_length=_LINE_LENGTH,
        disable_timestamp=True,
        custom_file_header="# models",
        # Strings, lists and unions are aliases: `result.algorithm`, never `result.algorithm.root`.
        use_type_alias=True,
        additional_imports=["typing.Annotated", "pydantic.Field"],
        enum_field_as_literal=LiteralType.All,
        output_datetime_class=DatetimeClassType.Datetime,
        snake_case_field=True,
        strict_nullable=True,
        use_annotated=True,
        use_double_quotes=True,
        # Descriptions become docstrings, which editors show, and not Field arguments, which nobody reads.
        use_schema_description=True,
        use_field_description=True,
        use_single_line_docstring=True,
    )
    document: dict[str, Any] = {
        "openapi": "3.1.1",
        "info": {"title": package, "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    try:
        generate(json.dumps(document), config=config)
    except Error as error:
        raise ModelError(f"datamodel-code-generator refuses the schemas: {error}") from error


def _check_names(stand_ins: Mapping[str, str], metadata: dict[str, Any]) -> None:
    """Hold its own map from schema to class against the names that the operations use."""
    made = {model["source_ref"].rpartition("/")[2]: model["class_name"] for model in metadata["models"]}
    wrong = [
        f"{name} became {made.get(stand_in, 'nothing')}"
        for name, stand_in in stand_ins.items()
        if made.get(stand_in) != stand_in
    ]
    if wrong:
        raise ModelError(f"datamodel-code-generator renamed schemas: {', '.join(wrong)}")


def _with_open_unions(text: str, unions: Mapping[str, str]) -> str:
    """Let each union of known variants end in the one that a newer server added, which moves in front of it.

    The variants are tried in this order, so that an unknown one is only what no known one is. Raises
    `ModelError` where a union is not found.
    """
    lines = text.splitlines(keepends=True)
    body = ast.parse(text).body
    aliases = {name: call for node in body for name, call in _aliases(node)}
    if missing := unions.keys() - aliases.keys():
        raise ModelError(f"datamodel-code-generator made no alias of {', '.join(sorted(missing))}")
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    places: list[tuple[int, int | None, str]] = []
    for union, unknown in unions.items():
        call, variant = aliases[union], classes[unknown]
        known = ast.unparse(call.args[1]).replace("'", '"')
        members = f'        {known}\n        | {unknown},\n        Field(union_mode="left_to_right"),\n'
        alias = f'{union} = TypeAliasType(\n    "{union}",\n    Annotated[\n{members}    ],\n)\n'
        own = "".join(lines[variant.lineno - 1 : variant.end_lineno]).replace(
            "(BaseModel)", f"({VARIANT})", 1
        )
        places.append((call.lineno - 1, call.end_lineno, f"{own}\n\n{alias}"))
        places.append((variant.lineno - 1, variant.end_lineno, ""))
    for begin, end, written in sorted(
        places, reverse=True
    ):  # from the end: the lines before keep their places
        lines[begin:end] = [written]
    return "".join(lines)


def _aliases(node: ast.stmt) -> Iterator[tuple[str, ast.Call]]:
    """`Name = TypeAliasType("Name", ...)`."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="TypeAliasType")) as call
        ):
            yield name, call
        case _:
            return
