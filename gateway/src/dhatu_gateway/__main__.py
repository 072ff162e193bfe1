"""`python -m dhatu_gateway` is `dhatu-gateway`."""

from dhatu_gateway.cli import app

if __name__ == "__main__":  # not in the processes that it starts
    app()
