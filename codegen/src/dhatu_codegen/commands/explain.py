"""`dhatu-codegen explain`: what a code means."""

from __future__ import annotations

from typing import Annotated

import typer

from ..diagnostics import CODES
from ..explanations import explanation
from ..naming import nearest


def explain(
    code: Annotated[str, typer.Argument(help="Such as DH031; every code is listed when absent.")] = "",
) -> None:
    """Tell what a code means, what triggers it and how to mend it."""
    if not code:
        for known, (severity, title) in sorted(CODES.items()):
            typer.echo(f"{known}  {severity:<7}  {title}")
        return
    wanted = code.upper()
    if wanted not in CODES:
        suggestion = nearest(wanted, CODES)
        hint = f"; did you mean {suggestion}?" if suggestion else "; `dhatu-codegen explain` lists them all"
        typer.echo(f"there is no code {code}{hint}", err=True)
        raise typer.Exit(2)
    severity, title = CODES[wanted]
    typer.echo(f"{wanted} ({severity}): {title}\n\n{explanation(wanted)}")
