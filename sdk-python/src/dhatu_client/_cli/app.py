"""The program: a group for each resource, a command for each operation, and how it ends.

It ends with 0 if all went well, 1 where the server said no or answered what nobody understands, 2 where the
command was not understood, 3 where no connection was made or it broke, 130 where somebody interrupted it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click
from click.shell_completion import get_completion_class

from .._call import ApiSpec
from .._commands import CommandEntry, ProgramEntry
from .._errors import ArgumentError, BreakerOpenError, ConfigurationError, DhatuError, TransportError
from .call import client_of, perform
from .choices import Choices, common_options, output_options
from .parameters import command_name, parameters_of

REFUSED, MISUSED, UNREACHED, INTERRUPTED = 1, 2, 3, 130
_BROKEN_PIPE = 141
"""As of a process that SIGPIPE ended."""
_LIST = re.compile(r"^\s*([-*+|>]|\d+[.)])\s", re.MULTILINE)


def run(program: ProgramEntry, arguments: Sequence[str]) -> int:
    """Carry out a command line; returns the exit code."""
    try:
        ended: object = program_command(program).main(
            list(arguments),
            prog_name=program.name,
            complete_var=_completion_variable(program),
            standalone_mode=False,
        )
    except click.ClickException as error:
        error.show()
        return MISUSED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except DhatuError as error:
        click.echo(f"{program.name}: {' '.join(str(error).split())}", err=True)
        return _code(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        return _BROKEN_PIPE
    return ended if isinstance(ended, int) else 0


def _code(error: DhatuError) -> int:
    match error:
        case ArgumentError() | ConfigurationError():
            return MISUSED
        case TransportError() | BreakerOpenError():
            return UNREACHED
        case _:
            return REFUSED


class _Group(click.Group):
    """Commands that are made when they are asked for: a large API has hundreds."""

    def __init__(
        self, name: str, program: ProgramEntry, entries: Sequence[CommandEntry], **more: Any
    ) -> None:
        super().__init__(name, no_args_is_help=True, **more)
        self._program = program
        self._entries = {command_name(entry.name): entry for entry in entries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._entries, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        return super().get_command(ctx, cmd_name) if entry is None else _command(self._program, entry)


def program_command(program: ProgramEntry) -> click.Group:
    """The whole API."""
    api: ApiSpec = client_of(program)._api
    found = _Group(
        program.name,
        program,
        program.commands,
        help=program.summary,
        params=[
            *common_options(api.environment_prefix),
            click.Option(
                ["--show-completion"],
                type=click.Choice(["bash", "zsh", "fish"]),
                is_eager=True,
                expose_value=False,
                callback=partial(_show_completion, program),
                help="Print what teaches a shell to complete commands.",
            ),
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=partial(_show_version, f"{api.distribution} {api.version}"),
                help="Print the version.",
            ),
        ],
    )
    for group in program.groups:
        found.add_command(_Group(command_name(group.name), program, group.commands, help=group.summary))
    return found


def _command(program: ProgramEntry, entry: CommandEntry) -> click.Command:
    api: ApiSpec = client_of(program)._api
    return click.Command(
        command_name(entry.name),
        callback=partial(_carry_out, program, entry),
        params=[
            *parameters_of(entry),
            *output_options(items=entry.series),
            *common_options(api.environment_prefix),
        ],
        help="\n\n".join([f"{entry.summary.rstrip('.')}.", *map(_filled, entry.description.split("\n\n"))]),
        deprecated=bool(entry.deprecated),
    )


def _carry_out(program: ProgramEntry, entry: CommandEntry, **values: Any) -> None:
    perform(program, entry, values, click.get_current_context().ensure_object(Choices))


def _filled(paragraph: str) -> str:
    """A paragraph of Markdown; click keeps the lines of one that begins so."""
    return f"\b\n{paragraph}" if _LIST.search(paragraph) else paragraph


def _show_completion(
    program: ProgramEntry, context: click.Context, parameter: click.Parameter, shell: str | None
) -> None:
    if shell is None or context.resilient_parsing:
        return
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells that it was given as choices"
    click.echo(kind(context.command, {}, program.name, _completion_variable(program)).source())
    context.exit()


def _show_version(version: str, context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(version)
        context.exit()


def _completion_variable(program: ProgramEntry) -> str:
    """Set by the shell while it asks for completions."""
    return f"_{program.name.upper().replace('-', '_')}_COMPLETE"
