"""Arguments of operations as parameters of commands, and how their values are read.

A value of the body that begins with `@` is read from that file, `@-` from standard input; `@@` stands for
one `@`.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from .._commands import ArgumentEntry, CommandEntry
from .choices import RESERVED

BODY = "body_file"
"""Name of the parameter that gives members of the body from a file."""


def command_name(name: str) -> str:
    """`get-job` for `get_job`."""
    return name.strip("_").replace("_", "-")


def parameters_of(entry: CommandEntry) -> list[click.Parameter]:
    """Arguments in the order in which they are typed, then options."""
    typed = _typed(entry)
    found: list[click.Parameter] = [_argument(argument) for argument in typed]
    found += [_option(argument) for argument in entry.arguments if argument not in typed]
    members = [argument for argument in entry.arguments if argument.place == "body"]
    if members and any(argument.kind != "file" for argument in members):
        found.append(
            click.Option(
                ["--body", BODY],
                type=JsonFile(),
                metavar="FILE",
                help="Members of the body, as a JSON object; - for standard input.",
            )
        )
    return found


def variable(entry: ArgumentEntry) -> str:
    """Name of a parameter in click, which no option of ours has."""
    return f"argument_{entry.name}"


def option_name(entry: ArgumentEntry) -> str:
    """`--min-length`; an argument named like an option of every command says where it goes as well."""
    name = command_name(entry.name)
    return f"--{entry.place}-{name}" if name in RESERVED else f"--{name}"


def _typed(entry: CommandEntry) -> list[ArgumentEntry]:
    """The arguments that go without a name: variables of the path, what a caller passes by position, and the
    file that is the whole body, in place of which no member of the body does."""
    whole = [argument for argument in entry.arguments if argument.place == "whole"][:1]
    paths = [argument for argument in entry.arguments if argument.place == "path"]
    rest = [
        argument
        for argument in entry.arguments
        if argument.positional
        and argument not in paths
        and argument.kind not in ("boolean", "file")
        and argument.place != "whole"
        and not (whole and argument.place == "body")
    ]
    found = [*paths, *rest, *whole]
    # Only the last may take several words, and one that may be missing ends what can be told apart.
    single = [argument for argument in found if not argument.many or argument is found[-1]]
    optional = next((number for number, one in enumerate(single) if not one.required), len(single))
    return single[: optional + 1]


def _argument(entry: ArgumentEntry) -> click.Argument:
    required = entry.required and entry.place in ("path", "query", "header", "cookie")
    metavar = "FILE" if entry.place == "whole" else command_name(entry.name).upper()
    help = (
        f"{entry.help.rstrip('.')}: a file, or - for standard input."
        if entry.place == "whole"
        else entry.help
    )
    return click.Argument(
        [variable(entry)],
        type=_type(entry),
        required=required,
        nargs=-1 if entry.many else 1,
        metavar=metavar if required or entry.many else f"[{metavar}]",
        help=help,
    )


def _option(entry: ArgumentEntry) -> click.Option:
    name = option_name(entry)
    if entry.kind == "boolean" and not entry.many:
        return click.Option([f"{name}/--no-{name[2:]}", variable(entry)], default=None, help=_noted(entry))
    return click.Option(
        [name, variable(entry)],
        type=_type(entry),
        multiple=entry.many,
        metavar=None if entry.choices else _METAVARS[entry.kind],
        help=_noted(entry),
    )


def _noted(entry: ArgumentEntry) -> str:
    """What is said of an option. That it is required is checked later, since `--body` may hold it."""
    notes = ["required"] * entry.required + ["may be repeated"] * entry.many
    return f"{entry.help}  [{', '.join(notes)}]" if notes else entry.help


_METAVARS = {
    "text": "TEXT",
    "base64": "BASE64",
    "integer": "N",
    "number": "NUMBER",
    "boolean": "BOOLEAN",
    "json": "JSON",
    "any": "VALUE",
    "file": "FILE",
    "content": "FILE",
}


def _type(entry: ArgumentEntry) -> click.ParamType[Any]:
    if entry.choices:
        return _Choice(entry.choices, integer=entry.kind == "integer")
    if entry.kind in ("file", "content"):
        return Upload()
    if entry.place == "whole":
        return JsonFile()
    match entry.kind:
        case "integer":
            return click.INT
        case "number":
            return click.FLOAT
        case "boolean":
            return click.BOOL
        case "json" | "any" | "base64":
            return Typed(entry.kind)
        case _:
            return Typed("text") if entry.place == "body" else click.STRING


class Typed(click.ParamType[Any]):
    """A value that may lie in a file: text, JSON, JSON or text, or bytes to be sent as base64."""

    def __init__(self, kind: str) -> None:
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if not value.startswith("@") or value.startswith("@@"):
            return self._read(value.removeprefix("@") if value.startswith("@@") else value, param, ctx)
        content = _content(self, value[1:], param, ctx)
        if self.name == "base64":
            return base64.b64encode(content).decode("ascii")
        try:
            return self._read(content.decode("utf-8"), param, ctx)
        except UnicodeDecodeError:
            self.fail(f"{value[1:]} is not text in UTF-8", param, ctx)

    def _read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if self.name not in ("json", "any"):
            return text
        try:
            return json.loads(text)
        except ValueError as error:
            if self.name == "any":
                return text
            self.fail(f"this is not JSON: {error}", param, ctx)


class Upload(click.Path):
    """A file to be sent as it is: its path, or the open standard input."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        super().convert(value, param, ctx)
        return sys.stdin.buffer if value == "-" else Path(value)


class JsonFile(Upload):
    """A file that holds one JSON value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        super().convert(value, param, ctx)
        try:
            return json.loads(_content(self, value, param, ctx))
        except ValueError as error:
            self.fail(f"{value} is not JSON: {error}", param, ctx)


class _Choice(click.Choice[str]):
    """One of the values that the API lists; numbers arrive as such."""

    def __init__(self, choices: tuple[str, ...], *, integer: bool) -> None:
        super().__init__(choices)
        self._integer = integer

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        chosen = super().convert(value, param, ctx)
        return int(chosen) if self._integer else chosen


def _content(
    kind: click.ParamType[Any], path: str, param: click.Parameter | None, ctx: click.Context | None
) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        kind.fail(f"cannot read {path!r}: {error.strerror}", param, ctx)


def given(entry: CommandEntry, values: dict[str, Any]) -> Iterator[tuple[ArgumentEntry, Any]]:
    """The arguments that were given, and their values."""
    for argument in entry.arguments:
        value = values.get(variable(argument))
        if value is not None and not (argument.many and not value):
            yield argument, list(value) if argument.many else value
