"""`python -m dhatu_gateway` is `dhatu-gateway`."""

from .cli import app

app()
