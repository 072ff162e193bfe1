"""`python -m` with the name of the package runs its command."""

from __future__ import annotations

from ._cli import main

main()
