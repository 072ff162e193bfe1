"""The command line.

Exit codes: 0 all is well, 1 a spec has errors or generated files are not current, 2 wrong usage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .explain_command import explain
from .formats import Format
from .formats.output import FormatOption, show
from .naming import nearest
from .pipeline import PLATFORM_FILE, build
from .sdk_command import sdk
from .targets.base import TargetError
from .write import Difference, compare, write

app = typer.Typer(
    help="Merge OpenAPI documents and generate everything that has to agree with them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_Root = Annotated[
    Path | None, typer.Option(help="The folder that holds spec/; found from here upwards when absent.")
]


app.command()(explain)
app.command()(sdk)


@app.command()
def generate(
    root: _Root = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where files are not current.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Generate all files, or check that they are current."""
    folder = _find_root(root)
    try:
        built = build(folder)
    except TargetError as error:
        typer.echo(f"{error}\nnothing was written", err=True)
        raise typer.Exit(1) from error
    show(built.diagnostics, form)
    if built.diagnostics.errors:
        typer.echo("nothing was written" if not check else "the specs have errors", err=True)
        raise typer.Exit(1)
    if not check:
        changed = write(folder, built.files)
        if form is Format.TEXT:
            _say_what_changed(changed, len(built.files))
        return
    difference = compare(folder, built.files)
    if difference:
        typer.echo("generated files are not current:", err=True)
        for kind in ("stale", "missing", "orphaned"):
            for path in getattr(difference, kind):
                typer.echo(f"  {kind:<8} {path}", err=True)
        typer.echo("run `make generate` and commit the result", err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(built.files)} generated files are current", err=form is not Format.TEXT)


@app.command()
def ir(
    root: _Root = None,
    op: Annotated[str, typer.Option(help="Only this operation: its key or operationId.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a tree.")] = False,
) -> None:
    """Print the intermediate representation: what codegen understood."""
    from .show import to_plain, tree

    built = build(_find_root(root), targets=())
    show(built.diagnostics)
    if built.api is None or built.diagnostics.errors:
        raise typer.Exit(1)
    shown: object = built.api
    if op:
        known = {key: item for item in built.api.operations for key in (item.operation_id, item.key)}
        if op not in known:
            suggestion = nearest(op, known)
            hint = f"; did you mean {suggestion}?" if suggestion else ""
            typer.echo(f"there is no operation {op}{hint}", err=True)
            raise typer.Exit(2)
        shown = known[op]
    if as_json:
        import json

        typer.echo(json.dumps(to_plain(shown), ensure_ascii=False, indent=2))
    else:
        import rich

        rich.print(tree(shown))


def _find_root(given: Path | None) -> Path:
    start = (given or Path.cwd()).resolve()
    for folder in [start] if given else [start, *start.parents]:
        if (folder / PLATFORM_FILE).is_file():
            return folder
    typer.echo(f"{PLATFORM_FILE} is not in {start}{'' if given else ' or above it'}; use --root", err=True)
    raise typer.Exit(2)


def _say_what_changed(difference: Difference, total: int) -> None:
    for word, paths in (
        ("rewrote", difference.stale),
        ("created", difference.missing),
        ("deleted", difference.orphaned),
    ):
        for path in paths:
            typer.echo(f"{word} {path}")
    typer.echo(f"{total} generated files are current")
