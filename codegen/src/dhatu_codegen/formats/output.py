"""Where a report goes: people read it beside other messages, programs alone on standard output."""

from __future__ import annotations

import os
import sys
from typing import Annotated, TypeAlias

import typer

from ..diagnostics import Diagnostics
from . import Format, report

FormatOption: TypeAlias = Annotated[
    Format, typer.Option("--format", help="How problems are reported.", case_sensitive=False)
]


def show(diagnostics: Diagnostics, form: Format = Format.TEXT) -> None:
    """Print everything found; text is in colour on a terminal, unless NO_COLOR is set (no-color.org)."""
    if form is not Format.TEXT:
        typer.echo(report(diagnostics, form))
    elif diagnostics.all:
        colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        typer.echo(report(diagnostics, form, colour=colour), err=True, color=colour)
