"""`python -m dhatu_reference` is `dhatu-reference`."""

from .cli import app

app()
