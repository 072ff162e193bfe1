"""The command line.

Exit codes: 0 all is well, 1 a spec has errors or generated files are not current, 2 wrong usage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .commands.diff import diff
from .commands.explain import explain
from .commands.lint import lint
from .commands.sdk import sdk
from .diff.gate import RELEASED_FILE
from .formats import Format
from .formats.output import FormatOption, show
from .naming import nearest
from .pipeline import PLATFORM_FILE, build, release_document

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
app.command()(lint)
app.command()(sdk)
app.command()(diff)


@app.command()
def generate(
    root: _Root = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where files are not current.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Render anew even where no hash has changed.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite generated files that were edited by hand.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Generate at every change of the specs.")] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Generate all files, or check that they are current."""
    from .commands.generate import Options, keep_current, run

    if check and (force or watch):
        typer.echo(f"--check writes nothing: it does not go with --{'force' if force else 'watch'}", err=True)
        raise typer.Exit(2)
    options = Options(
        check=check,
        full=full or force,
        force=force,
        show=lambda diagnostics: show(diagnostics, form),
        quiet=form is not Format.TEXT,
    )
    folder = _find_root(root)
    if watch:
        keep_current(folder, options)
    elif not run(folder, options):
        raise typer.Exit(1)


@app.command()
def ir(
    root: _Root = None,
    op: Annotated[str, typer.Option(help="Only this operation: its key or operationId.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a tree.")] = False,
) -> None:
    """Print the intermediate representation: what codegen understood."""
    from .commands.show import to_plain, tree

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


@app.command()
def table(
    out: Annotated[Path, typer.Option(help="The file; replaced as a whole.")],
    root: _Root = None,
) -> None:
    """Write the gateway's table as one file, which a running gateway takes: see GATEWAY_TABLE."""
    from .commands.table import write_table

    write_table(_find_root(root), out)


@app.command()
def release(root: _Root = None, form: FormatOption = Format.TEXT) -> None:
    """Make the merged document the released one, with which every later change is compared."""
    diagnostics = release_document(_find_root(root))
    show(diagnostics, form)
    if diagnostics.errors:
        typer.echo("nothing was released", err=True)
        raise typer.Exit(1)
    typer.echo(f"{RELEASED_FILE} is the merged document of today", err=form is not Format.TEXT)


def _find_root(given: Path | None) -> Path:
    start = (given or Path.cwd()).resolve()
    for folder in [start] if given else [start, *start.parents]:
        if (folder / PLATFORM_FILE).is_file():
            return folder
    typer.echo(f"{PLATFORM_FILE} is not in {start}{'' if given else ' or above it'}; use --root", err=True)
    raise typer.Exit(2)
