"""The table of commands: every operation as a person calls it, by hand or in a test."""

from __future__ import annotations

import re
from typing import Any, Final

from ..literals import Call
from .arguments import Argument
from .view import Method, Package, Resource

COMMANDS: Final = "commands.py"
"""The module of the table."""
_ARGUMENT: Final = {
    "kind": "text",
    "place": "query",
    "help": "",
    "choices": (),
    "many": False,
    "required": False,
    "positional": False,
}
_COMMAND: Final = {"description": "", "arguments": (), "stream": "", "series": False, "deprecated": ""}
_PLACES: Final = {"file": "body", "content": "whole", "flag": "option"}
_SERIES: Final = frozenset({"sse", "jsonl"})
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def program_call(package: Package) -> Call:
    """`ProgramEntry(...)`."""
    sdk = package.api.sdk
    return _call(
        "ProgramEntry",
        {},
        name=program_name(package.api.sdk.environment_prefix, sdk.python_package),
        client=sdk.client,
        summary=package.doc,
        commands=tuple(map(_command, package.client_methods)),
        groups=tuple(map(_group, package.resources)),
    )


def program_name(environment_prefix: str, package: str) -> str:
    """What the command is called: as the variables are, or else as the package is.

    >>> program_name("ACME_CORP", "acme_client"), program_name("", "acme_client")
    ('acme-corp', 'acme-client')
    """
    return (environment_prefix or package).lower().replace("_", "-")


def _group(resource: Resource) -> Call:
    return _call(
        "GroupEntry",
        {},
        name=resource.name,
        summary=_plain(resource.doc),
        commands=tuple(map(_command, resource.methods)),
    )


def _command(method: Method) -> Call:
    operation = method.operation
    positional = {slot.name for slot in method.signature.positional}
    required = {
        slot.name for slot in (*method.signature.positional, *method.signature.keyword) if not slot.default
    }
    return _call(
        "CommandEntry",
        _COMMAND,
        name=method.name,
        operation=method.constant,
        summary=_plain(operation.summary) or f"{operation.method} {operation.path}",
        description=_LINK.sub(r"\1", operation.description.strip()),
        arguments=tuple(
            _argument(
                argument,
                help=_help(method, argument),
                required=argument.name in required,
                positional=argument.name in positional,
            )
            for argument in method.arguments
        ),
        stream=method.stream,
        series=operation.pagination is not None or any(answer.kind in _SERIES for answer in method.answers),
        deprecated=method.deprecated,
    )


def _help(method: Method, argument: Argument) -> str:
    if argument.form.kind != "content":
        return _plain(argument.description)
    media_types = [body.payload.media_type for body in method.bodies if body.whole == argument.name]
    return f"The body, in {' or '.join(media_types)}."


def _argument(argument: Argument, *, help: str, required: bool, positional: bool) -> Call:
    return _call(
        "ArgumentEntry",
        _ARGUMENT,
        name=argument.name,
        kind=argument.form.kind,
        place="whole" if argument.key == ("body", "") else _PLACES.get(argument.key[0], argument.key[0]),
        help=help,
        choices=argument.form.choices,
        many=argument.form.many,
        required=required,
        positional=positional,
    )


def _plain(markdown: str) -> str:
    """One line, its links without their targets."""
    return _LINK.sub(r"\1", " ".join(markdown.split()))


def _call(name: str, defaults: dict[str, Any], /, **fields: Any) -> Call:
    """A call without the fields that have their default anyway."""
    kept = ((key, value) for key, value in fields.items() if key not in defaults or defaults[key] != value)
    return Call(name=name, fields=tuple(kept))
