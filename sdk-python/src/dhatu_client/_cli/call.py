"""One command carried out: its arguments, the call, and the way the answer goes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from .._call import CallOptions, Operation
from .._commands import ArgumentEntry, CommandEntry, ProgramEntry
from .choices import Choices
from .output import BINARY_ON_TERMINAL, Output
from .parameters import BODY, given, option_name

_TEXTS = ("text", "base64")


def perform(program: ProgramEntry, entry: CommandEntry, values: dict[str, Any], choices: Choices) -> None:
    """Call the operation and show what it answers. Raises `click.UsageError` and `DhatuError`."""
    from ..generated import operations

    operation: Operation[Any, Any] = getattr(operations, entry.operation)
    output = Output(choices)
    _check(operation, entry, values, output)
    found = dict(given(entry, values))
    stream = any(one.name == entry.stream and value is True for one, value in found.items())
    arguments = {
        one.name: value
        for one, value in _as_members(entry, found, output).items()
        if not (one.name == entry.stream and one.place == "option")
    }
    if choices.verbose:
        from .._watch.logger import show

        show("debug")
    kind = client_of(program)
    with kind(base_url=choices.base_url, api_key=choices.api_key, token=choices.token) as client:
        plain, options = _plain(operation), _options(choices, values)
        if operation.page is not None:
            from .pages import pages

            output.pages(pages(client, plain, arguments, options))
        else:
            output.show(client.call(plain, arguments, options, stream=stream))


def client_of(program: ProgramEntry) -> Any:
    """The class of the sync client."""
    from ..generated import client

    return getattr(client, f"Sync{program.client}")


def _plain(operation: Operation[Any, Any]) -> Operation[Any, Any]:
    """The operation with answers as the JSON that they are: exact, and without the time that models take."""
    return replace(
        operation,
        deprecated="",  # said before the call
        job=None,
        responses=tuple(
            replace(spec, type="str" if spec.kind == "sse" and spec.type == "str" else "")
            for spec in operation.responses
        ),
    )


def _options(choices: Choices, values: Mapping[str, Any]) -> CallOptions:
    options = CallOptions()
    if choices.timeout is not None:
        options["timeout_s"] = choices.timeout
    if choices.retries is not None:
        options["max_retries"] = choices.retries
    if choices.header:
        options["extra_headers"] = dict(choices.header)
    members = values.get(BODY)
    if members is not None:
        if not isinstance(members, dict):
            raise click.UsageError("--body must hold a JSON object")
        options["extra_body"] = members
    return options


def _check(
    operation: Operation[Any, Any], entry: CommandEntry, values: dict[str, Any], output: Output
) -> None:
    """What can be told before anything is sent."""
    if entry.deprecated:
        click.echo(f"warning: {entry.deprecated}", err=True)
    present = {one.name for one, _ in given(entry, values)}
    if values.get(BODY) is None:
        missing = [one for one in entry.arguments if one.required and one.name not in present]
        if missing:
            raise click.UsageError(f"missing: {', '.join(map(option_name, missing))}")
    members = [one for one in entry.arguments if one.place in ("body", "whole")]
    if operation.body_required and values.get(BODY) is None and not present & {one.name for one in members}:
        ways = ["FILE" if one.place == "whole" else option_name(one) for one in members]
        raise click.UsageError(f"a body is needed: give {' or '.join(ways)}")
    kinds = {spec.kind for spec in operation.responses if spec.status.startswith("2")}
    if kinds == {"binary"} and output.on_terminal:
        raise click.UsageError(f"the answer {BINARY_ON_TERMINAL}")


def _as_members(
    entry: CommandEntry, found: dict[ArgumentEntry, Any], output: Output
) -> dict[ArgumentEntry, Any]:
    """A file is sent raw, and what comes back is raw; but where somebody wants to read the answer, and the
    operation takes the same in JSON, it is sent so."""
    whole = next((one for one in found if one.kind == "content"), None)
    twin = next((one for one in entry.arguments if one.place == "body" and one.positional), None)
    wanted = output.choices.json or (output.for_people and output.on_terminal)
    if whole is None or twin is None or twin.kind not in _TEXTS or not wanted:
        return found
    content = found[whole].read_bytes() if isinstance(found[whole], Path) else found[whole].read()
    try:
        text = base64.b64encode(content).decode() if twin.kind == "base64" else content.decode("utf-8")
    except UnicodeDecodeError:
        return {**found, whole: content}
    return {**{one: value for one, value in found.items() if one is not whole}, twin: text}
