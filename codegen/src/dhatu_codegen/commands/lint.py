"""`dhatu-codegen lint`: every rule, over the platform or over any documents."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from ..diagnostics import SEVERITIES, Diagnostics
from ..formats import Format
from ..formats.output import FormatOption, show
from ..ir.name import Name
from ..lint import lint as lint_contract
from ..lint.style import lint_style
from ..pipeline import PLATFORM_FILE, build
from ..reading.locations import Boundary
from ..sdk.adopt import SdkName
from ..sdk.build import understand


class FailOn(StrEnum):
    """The gentlest severity that makes the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_ANY_NAME: Final = SdkName(name=Name.of("api"))


def lint(
    files: Annotated[
        list[str] | None, typer.Argument(help="OpenAPI documents; the platform's own when absent.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="The folder that holds spec/.")] = None,
    form: FormatOption = Format.TEXT,
    fail_on: Annotated[FailOn, typer.Option(help="The gentlest severity that counts.")] = FailOn.WARNING,
) -> None:
    """Say what could be better; exit 1 where something is as grave as --fail-on, or graver."""
    reports = [lint_document(file) for file in files] if files else [lint_platform(_root(root))]
    counting = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    for diagnostics in reports if form is Format.TEXT else [joined(reports)]:
        show(diagnostics, form)
    if any(found.severity in counting for diagnostics in reports for found in diagnostics.all):
        raise typer.Exit(1)
    if form is Format.TEXT:
        typer.echo("the specs are in order")


def lint_platform(root: Path) -> Diagnostics:
    """Everything that `generate` would say, and the rules of style."""
    built = build(root, targets=())
    if built.api is not None:
        lint_style(built.api.document, built.diagnostics)
    return built.diagnostics


def lint_document(location: str) -> Diagnostics:
    """What is wrong with one document, wherever it lies."""
    diagnostics = Diagnostics()
    api = understand(Boundary(start=location), _ANY_NAME, diagnostics)
    if api is not None:
        lint_contract(api, diagnostics)
        lint_style(api.document, diagnostics)
    return diagnostics


def joined(reports: list[Diagnostics]) -> Diagnostics:
    """One report of several, for formats that know no more than one."""
    whole = Diagnostics()
    for diagnostics in reports:
        whole.take(diagnostics)
    return whole


def _root(given: Path | None) -> Path:
    start = (given or Path.cwd()).resolve()
    for folder in [start] if given else [start, *start.parents]:
        if (folder / PLATFORM_FILE).is_file():
            return folder
    typer.echo(f"{PLATFORM_FILE} is not in {start}; use --root, or name the documents", err=True)
    raise typer.Exit(2)
