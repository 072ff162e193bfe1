"""`dhatu-reference`: starts the whole platform on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from .processes import StartError
from .stack import Stack

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

_WATCH_S = 0.5


@app.callback()
def main() -> None:
    """The reference services of the dhātu platform."""


@app.command()
def up(
    command: Annotated[
        list[str] | None,
        typer.Argument(help="A command to run against the platform; without one it stays up."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the gateway; 0 takes any free one.")] = 0,
) -> None:
    """Start Valkey, the services and the gateway; run COMMAND with DHATU_BASE_URL and DHATU_API_KEY set."""
    _end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="dhatu-") as directory:
        try:
            with Stack(Path(directory), gateway_port=port) as stack:
                code = _run(command, stack) if command else _stay_up(stack)
        except StartError as error:
            typer.echo(f"The platform did not start: {error}", err=True)
            code = 1
    raise typer.Exit(code)


def _run(command: list[str], stack: Stack) -> int:
    environment = {
        **os.environ,
        "DHATU_BASE_URL": stack.addresses.gateway,
        "DHATU_API_KEY": stack.api_key,
    }
    return subprocess.run(command, env=environment, check=False).returncode


def _stay_up(stack: Stack) -> int:
    """Waits for Ctrl-C, or for a process that ends by itself."""
    typer.echo(_banner(stack))
    waiting = threading.Event()
    try:
        while not waiting.wait(_WATCH_S):
            ended = stack.exited()
            if ended is not None:
                typer.echo(
                    f"{ended.spec.name} ended with code {ended.exit_code}.\n{ended.log_tail()}", err=True
                )
                return 1
    except KeyboardInterrupt:
        typer.echo("\nstopping ...")
    return 0


def _banner(stack: Stack) -> str:
    base = stack.addresses.gateway
    services = "\n".join(f"    {name:12} {url}" for name, url in stack.addresses.services.items())
    return f"""
  The dhātu platform is up.

    gateway      {base}
    health       {base}/api/v1/health
{services}
    valkey       {stack.addresses.redis}

    demo key     {stack.api_key}

  Try it:

    curl -s '{base}/api/v1/corpus/search?q=sandhi' -H 'X-API-Key: {stack.api_key}'

  Ctrl-C stops everything.
"""


def _end_on_sigterm() -> None:
    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
