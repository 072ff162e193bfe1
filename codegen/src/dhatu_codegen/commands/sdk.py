"""`dhatu-codegen sdk`: an installable SDK of any OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..formats import Format
from ..formats.output import FormatOption, show
from ..targets.base import TargetError


def sdk(
    document: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="Any OpenAPI 3 document.")],
    name: Annotated[str, typer.Option(help="Of the package; `acme` makes the client class `AcmeAPI`.")],
    out: Annotated[Path, typer.Option(help="The folder for the SDK, new or made by this command.")],
    lang: Annotated[str, typer.Option(help="The language: python or typescript.")] = "python",
    root: Annotated[
        list[str] | None,
        typer.Option(help="A folder or address from which referenced documents may be read as well."),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Make an installable SDK of any OpenAPI document."""
    from ..ir.name import Name
    from ..reading.locations import Boundary
    from ..sdk.adopt import SdkName
    from ..sdk.build import LANGUAGES, build_sdk
    from ..sdk.folder import FolderError, write_sdk

    language = LANGUAGES.get(lang)
    if language is None:
        typer.echo(f"--lang: {lang} is unknown; there are {' and '.join(LANGUAGES)}", err=True)
        raise typer.Exit(2)
    try:
        boundary = Boundary(start=document, roots=tuple(root or ()))
        built = build_sdk(boundary, SdkName(name=Name.of(name)), language)
        show(built.diagnostics, form)
        if built.diagnostics.errors:
            typer.echo("nothing was written", err=True)
            raise typer.Exit(1)
        write_sdk(out, built.files)
    except (FolderError, TargetError) as error:
        typer.echo(f"{error}\nnothing was written", err=True)
        raise typer.Exit(1) from error
    if form is Format.TEXT:
        operations = len(built.api.operations) if built.api else 0
        typer.echo(f"{operations} operations in {out}: {language.install.format(out=out)}")
