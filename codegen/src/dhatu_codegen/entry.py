"""Where the command begins: a run that has nothing to do ends here, before anything large is imported.

Typer alone takes a tenth of a second, the libraries behind the pipeline a second more.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def main() -> None:
    """`dhatu-codegen`."""
    if _nothing_to_do(sys.argv[1:]):
        return
    # Millions of small objects, nearly all of them needed to the end: collecting was a fifth of the time.
    gc.disable()
    from .cli import app

    app()


def _nothing_to_do(arguments: list[str]) -> bool:
    """Whether this is `generate` or `generate --check` below a folder where all is as it was."""
    if arguments not in (["generate"], ["generate", "--check"]):
        return False
    from .writing.manifest import Output, no_op_message, unchanged

    here = Path.cwd()
    root = next(
        (folder for folder in (here, *here.parents) if (folder / "spec/platform.yaml").is_file()), None
    )
    current = unchanged(Output(root=root)) if root else None
    if current is not None:
        print(no_op_message(current))
    return current is not None
