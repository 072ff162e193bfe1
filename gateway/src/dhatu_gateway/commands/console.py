"""How commands read what they are told, and speak to people."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import typer

from dhatu_gateway.settings import SettingsError
from dhatu_gateway.table import TableError

T = TypeVar("T")


def printable(text: str) -> str:
    r"""Text that stays on its line and does nothing to a terminal, whoever chose it.

    >>> printable("nightly\n\x1b[2J")
    'nightly\\n\\x1b[2J'
    """
    return "".join(part if part.isprintable() else repr(part)[1:-1] for part in text)


def moment(seconds: float) -> str:
    """Since the epoch, as a date and a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def read_or_fail(read: Callable[[Mapping[str, str]], T]) -> T:
    """Read the environment; ends the command where it says nothing sensible."""
    try:
        return read(os.environ)
    except (SettingsError, TableError) as error:
        raise failure(error) from error


def failure(reason: object) -> typer.Exit:
    """Say why, and end with code 1."""
    typer.echo(str(reason), err=True)
    return typer.Exit(1)
