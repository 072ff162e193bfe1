"""The command `dhatu-gateway`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from dhatu_gateway.app import Table, generated_table, open_edge
from dhatu_gateway.auth.api_keys import ApiKeys, NewKey
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.identity import key_id
from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.auth.passwords import Passwords
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_gateway.auth.users import NewUser, Users
from dhatu_gateway.serve import serve as serve_forever
from dhatu_gateway.settings import Settings, SettingsError, database_path, read_settings

T = TypeVar("T")

OPERATOR = "operator"
"""Owner of the keys that this command makes."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The gateway of the dhātu API platform.",
)
keys = typer.Typer(no_args_is_help=True, help="API keys, for services and scripts.")
users = typer.Typer(no_args_is_help=True, help="People who sign in with a name and a password.")
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")

Scopes = Annotated[list[str], typer.Option("--scope", help="May be given several times.")]
Roles = Annotated[list[str], typer.Option("--role", help="May be given several times.")]


@app.command()
def serve() -> None:
    """Serve until interrupted; everything is set by environment variables."""
    try:
        serve_forever(_settings(generated_table()))
    except SettingsError as error:
        raise _failure(error) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command("check-config")
def check_config() -> None:
    """Read the environment and compose every route, without serving."""
    table = generated_table()
    settings = _settings(table)

    async def compose() -> None:
        async with open_edge(settings, table):
            pass

    try:
        asyncio.run(compose())
    except (AuthError, ValueError) as error:
        raise _failure(error) from error
    typer.echo(f"ok: {len(table.routes)} operations, {len(settings.endpoints)} services")
    typer.echo(repr(settings))


@app.command()
def routes() -> None:
    """List every operation: method, path, name, and the scopes that it asks for."""
    table = generated_table()
    width = max(len(route.path) for route in table.routes)
    for route in sorted(table.routes, key=lambda route: (route.path, route.method)):
        ways = [" ".join(scope for need in needs for scope in need.scopes) for needs in route.security]
        scopes = " or ".join(dict.fromkeys(way for way in ways if way)) or "-"
        typer.echo(f"{route.method:7}{route.path:{width}}  {route.operation:28} {scopes}")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Scopes,
    role: Roles = [],  # noqa: B006  # typer reads the default, nobody changes it
    expires_days: Annotated[
        int | None, typer.Option(min=1, help="Valid for so long; for ever without.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the key alone.")] = False,
) -> None:
    """Make a key and print it; this is the only time that it can be seen."""
    new = NewKey(
        name=name,
        owner=OPERATOR,
        scopes=frozenset(scope),
        roles=frozenset(role),
        expires_in_s=None if expires_days is None else expires_days * 86_400,
    )

    async def create(store: SqliteStore) -> tuple[str, str]:
        record, key = await (await _api_keys(store)).create(new, now_s=time.time())
        return record.id, key

    id_, key = _with_store(create)
    typer.echo(key)
    if not quiet:
        typer.echo(f"id {id_}; keep the key safe, it cannot be shown again", err=True)


@keys.command("list")
def list_keys(limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100) -> None:
    """List the keys that hold, the oldest first."""

    async def find(store: SqliteStore) -> list[str]:
        found = await (await _api_keys(store)).list(after=None, limit=limit)
        return [f"{key.id}  {key.name}  {' '.join(sorted(key.scopes))}" for key in found]

    for line in _with_store(find):
        typer.echo(line)


@keys.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")]) -> None:
    """End a key; running gateways notice within seconds."""

    async def revoke(store: SqliteStore) -> bool:
        now_s = time.time()
        # The tokens that were issued for it end too; none of them lives longer than this.
        await store.revoke((key_id(key),), now_s=now_s, until_s=now_s + TokenPolicy().refresh_lifetime_s)
        return await store.revoke_key(key)

    if not _with_store(revoke):
        raise _failure(f"no API key has the id {key}")
    typer.echo(f"{key_id(key)} revoked")


@users.command("create")
def create_user(
    name: Annotated[str, typer.Option(help="The name to sign in with.")],
    scope: Scopes,
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
    role: Roles = [],  # noqa: B006  # as above
) -> None:
    """Let somebody sign in; asks for the password."""
    new = NewUser(name=name, password=password, scopes=frozenset(scope), roles=frozenset(role))

    async def create(store: SqliteStore) -> str:
        return (await Users(store, Passwords()).create(new, now_s=time.time())).name

    typer.echo(f"user {_with_store(create)} created")


async def _api_keys(store: SqliteStore) -> ApiKeys:
    return ApiKeys(store, await store.secret("api-keys"))


def _with_store(work: Callable[[SqliteStore], Awaitable[T]]) -> T:
    async def run() -> T:
        store = SqliteStore(database_path(os.environ))
        try:
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except (AuthError, ValueError) as error:
        raise _failure(error) from error


def _settings(table: Table) -> Settings:
    try:
        return read_settings(os.environ, table.platform.services)
    except SettingsError as error:
        raise _failure(error) from error


def _failure(reason: object) -> typer.Exit:
    typer.echo(str(reason), err=True)
    return typer.Exit(1)
