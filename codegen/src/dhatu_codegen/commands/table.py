"""`dhatu-codegen table`: the gateway's table as one file."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from ..formats.output import show
from ..pipeline import build
from ..targets import TARGETS
from ..targets.gateway.table import table_lines


def write_table(root: Path, out: Path) -> None:
    """Check everything as `generate` does, and put the file in its place as a whole."""
    built = build(root, tuple(target for target in TARGETS if target.name == "gateway"))
    show(built.diagnostics)
    if built.api is None or built.diagnostics.errors:
        typer.echo("nothing was written", err=True)
        raise typer.Exit(1)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        beside.write_text("".join(f"{line}\n" for line in table_lines(built.api)), encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        typer.echo(f"cannot write {out}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{len(built.api.operations)} operations in {out}")
