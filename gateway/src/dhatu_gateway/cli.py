"""The command `dhatu-gateway`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from dhatu_gateway.app import Table, open_edge
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.key_ring import make_ring
from dhatu_gateway.auth.upstream_identity import service_secrets
from dhatu_gateway.commands.console import failure, printable, read_or_fail
from dhatu_gateway.commands.credentials import audit, keys, users
from dhatu_gateway.deployment import read_deployment, table_of
from dhatu_gateway.processes.supervisor import WorkersCannotStartError
from dhatu_gateway.remote import RemoteError, ask, status_lines
from dhatu_gateway.serve import serve as serve_forever
from dhatu_gateway.settings import Settings, SettingsError
from dhatu_gateway.table import TableError, differences, read_table

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The gateway of the dhātu API platform.",
)
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")
app.command()(audit)

KeyOption = Annotated[
    str,
    typer.Option(envvar="GATEWAY_API_KEY", help="A key that holds system:read, or system:manage to reload."),
]
UrlOption = Annotated[
    str | None, typer.Option(help="Where it runs; by GATEWAY_HOST and GATEWAY_PORT without.")
]
CaOption = Annotated[
    str | None, typer.Option(help="Authorities, where it serves over TLS with a private one.")
]


@app.command()
def serve() -> None:
    """Serve until interrupted; everything is set by environment variables."""
    try:
        serve_forever(read_deployment(os.environ))
    except (SettingsError, TableError, WorkersCannotStartError) as error:
        raise failure(error) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command("check-config")
def check_config(
    before: Annotated[
        Path | None, typer.Option(help="A table that `dhatu-codegen table` has written: lists what differs.")
    ] = None,
) -> None:
    """Read the environment and all files that it names, and compose every route, without serving."""
    try:
        deployment, table = read_deployment(os.environ), table_of(os.environ)
        asyncio.run(_compose(deployment.settings, table))
        changes = () if before is None else tuple(differences(read_table(before), table))
    except (AuthError, SettingsError, ValueError) as error:
        raise failure(error) from error
    for change in changes:
        typer.echo(change)
    settings = deployment.settings
    for setting in settings.said:
        typer.echo(setting)
    services = len(settings.endpoints)
    typer.echo(f"ok: {len(table.routes)} operations, {services} services, table {table.digest}")


@app.command()
def status(key: KeyOption, url: UrlOption = None, ca_file: CaOption = None) -> None:
    """Show what a running gateway serves, by which processes, and how its services are."""
    for line in status_lines(_asked("GET", "/api/v1/status", url, key, ca_file)):
        typer.echo(printable(line))


@app.command()
def reload(key: KeyOption, url: UrlOption = None, ca_file: CaOption = None) -> None:
    """Let a running gateway serve what its table and its other files say now; SIGHUP does the same."""
    outcome = _asked("POST", "/api/v1/admin/reload", url, key, ca_file)
    typer.echo(f"the gateway serves the table {outcome['table']}: {outcome['routes']} operations")


def _asked(method: str, path: str, url: str | None, key: str, ca_file: str | None) -> dict[str, Any]:
    if url is None:
        host, port = os.environ.get("GATEWAY_HOST") or "127.0.0.1", os.environ.get("GATEWAY_PORT") or "8000"
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        return ask(method, url.rstrip("/") + path, key, ca_file)
    except RemoteError as error:
        raise failure(error) from error


async def _compose(settings: Settings, table: Table) -> None:
    async with open_edge(settings, table):
        pass


@app.command()
def routes() -> None:
    """List every operation: method, path, name, and the scopes that it asks for."""
    table = read_or_fail(table_of)
    width = max(len(route.path) for route in table.routes)
    for route in sorted(table.routes, key=lambda route: (route.path, route.method)):
        ways = [" ".join(scope for need in needs for scope in need.scopes) for needs in route.security]
        scopes = " or ".join(dict.fromkeys(way for way in ways if way)) or "-"
        typer.echo(f"{route.method:7}{route.path:{width}}  {route.operation:28} {scopes}")


@app.command("identity-secret")
def identity_secret(service: Annotated[str, typer.Argument(help="As platform.yaml calls it.")]) -> None:
    """Print the secret that a service verifies X-Dhatu-Identity with, one for each shared key."""
    deployment = read_or_fail(read_deployment)
    if service not in deployment.settings.endpoints:
        raise failure(f"platform.yaml describes no service {service}")
    found = service_secrets(make_ring(deployment.settings.jwt_keys), service)
    if not found:
        raise failure("no key is a shared secret: verify with the keys at /.well-known/jwks.json")
    for secret in found:
        typer.echo(secret)
