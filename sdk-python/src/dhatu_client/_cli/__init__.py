"""The command that comes with an SDK: every operation, called by hand.

`app.py` makes groups and commands of the generated table, `parameters.py` what they take; `call.py` carries
one out, and `output.py` and `readable.py` show what came.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    from ..generated.commands import PROGRAM

    try:
        from .app import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        from ..generated import client

        extra = f"{getattr(client, PROGRAM.client)._api.distribution}[cli]"
        print(f"{PROGRAM.name} needs click: pip install '{extra}'", file=sys.stderr)
        sys.exit(2)
    sys.exit(run(PROGRAM, sys.argv[1:]))
