"""`dhatu-codegen diff`: what changed between two documents, and the version that it asks for."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from ..diagnostics import Diagnostics
from ..formats import Format
from ..formats.output import FormatOption, show


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A file, an address, or git:REVISION:PATH.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same of the new document.")],
    accepted: Annotated[str, typer.Option(help="A file of accepted breaks.")] = "",
    today: Annotated[str, typer.Option(help="Judge sunsets and expiries by this date, not today's.")] = "",
    form: FormatOption = Format.TEXT,
) -> None:
    """Tell what changed from OLD to NEW, and whom it breaks; exit 1 where something breaks."""
    from ..diff.command import diff_documents, verdict

    try:
        day = date.fromisoformat(today) if today else date.today()
    except ValueError as error:
        raise typer.BadParameter(f"{today!r} is no date such as 2026-12-31") from error
    diagnostics = Diagnostics()
    answer = diff_documents((old, new), accepted, day, diagnostics)
    show(diagnostics, form)
    if answer is not None:
        typer.echo(verdict(answer), err=form is not Format.TEXT)
    if diagnostics.errors:
        raise typer.Exit(1)
