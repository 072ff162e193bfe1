"""Keys, users and the audit log, straight in the store: for whoever may read its file."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.identity import key_id
from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.auth.passwords import Passwords
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.records import OPERATOR, ApiKey, AuditEntry
from dhatu_gateway.auth.setup import open_keys
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.store.opening import open_store
from dhatu_gateway.auth.users import NewUser, Users
from dhatu_gateway.commands.console import failure, moment, printable, read_or_fail
from dhatu_gateway.deployment import platform_of
from dhatu_gateway.settings import SettingsError, read_database

T = TypeVar("T")

USER_ID = re.compile(r"user:.+|oidc:[^:]+:.+", re.DOTALL)

keys = typer.Typer(no_args_is_help=True, help="API keys, for services and scripts.")
users = typer.Typer(no_args_is_help=True, help="People who sign in with a name and a password.")

ScopeOptions = Annotated[list[str], typer.Option("--scope", help="May be given several times.")]
RoleOptions = Annotated[list[str], typer.Option("--role", help="May be given several times.")]


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: ScopeOptions = [],  # noqa: B006  # typer reads the default, nobody changes it
    role: RoleOptions = [],  # noqa: B006  # as above
    expires_days: Annotated[
        int | None, typer.Option(min=1, help="Valid for so long; for ever without.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the key alone.")] = False,
) -> None:
    """Make a key and print it; this is the only time that it can be seen."""
    _check_grants(scope, role)
    new = NewKey(
        name=name,
        owner=OPERATOR,
        scopes=frozenset(scope),
        roles=frozenset(role),
        expires_in_s=None if expires_days is None else expires_days * 86_400,
    )

    async def create(store: CredentialStore) -> tuple[str, str]:
        record, key = await (await open_keys(store)).create(new, actor=OPERATOR, now_s=time.time())
        return record.id, key

    _show_key(*_with_store(create), quiet=quiet)


@keys.command("list")
def list_keys(limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100) -> None:
    """List the keys that hold, the oldest first."""

    async def find(store: CredentialStore) -> list[str]:
        found = await (await open_keys(store)).list(after=None, limit=limit)
        return [_key_line(key) for key in found]

    for line in _with_store(find):
        typer.echo(line)


@keys.command("rotate")
def rotate_key(
    key: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")],
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=8760, help="How long the old key goes on; 0 ends it at once.")
    ] = 24.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the key alone.")] = False,
) -> None:
    """Make a key that allows the same and print it; the old one goes on for a while, so that both hold."""

    async def rotate(store: CredentialStore) -> tuple[str, str] | None:
        made = await (await open_keys(store)).rotate(
            key, overlap_s=overlap_hours * 3600, actor=OPERATOR, now_s=time.time()
        )
        return (made[0].id, made[1]) if made is not None else None

    made = _with_store(rotate)
    if made is None:
        raise failure(f"no API key that holds has the id {key}")
    _show_key(*made, quiet=quiet)


@keys.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")]) -> None:
    """End a key; running gateways notice within seconds."""

    async def revoke(store: CredentialStore) -> bool:
        now_s = time.time()
        # The tokens that were issued for it end too.
        await store.revoke((key_id(key),), now_s=now_s, until_s=now_s + TokenPolicy().revoked_for_s)
        entry = AuditEntry(at_s=now_s, actor=OPERATOR, act="key.revoke", target=key_id(key))
        return await store.revoke_key(key, entry)

    if not _with_store(revoke):
        raise failure(f"no API key has the id {key}")
    typer.echo(f"{key_id(key)} revoked")


@users.command("create")
def create_user(
    name: Annotated[str, typer.Option(help="The name to sign in with.")],
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
    scope: ScopeOptions = [],  # noqa: B006  # as above
    role: RoleOptions = [],  # noqa: B006  # as above
) -> None:
    """Let somebody sign in; asks for the password."""
    _check_grants(scope, role)
    new = NewUser(name=name, password=password, scopes=frozenset(scope), roles=frozenset(role))

    async def create(store: CredentialStore) -> str:
        made = await Users(store, Passwords()).create(new, actor=OPERATOR, now_s=time.time())
        return made.name

    typer.echo(f"user {printable(_with_store(create))} created")


@users.command("revoke")
def revoke_user(
    user: Annotated[
        str, typer.Argument(metavar="ID", help="Such as user:panini, or oidc:corp:1234 of somebody external.")
    ],
) -> None:
    """End every token of somebody, and let them sign in no more; running gateways notice within seconds."""
    if USER_ID.fullmatch(user) is None:
        raise failure(f"{printable(user)} is no id of a user, such as user:panini or oidc:corp:1234")

    async def revoke(store: CredentialStore) -> float:
        now_s = time.time()
        until_s = now_s + TokenPolicy().revoked_for_s
        entry = AuditEntry(at_s=now_s, actor=OPERATOR, act="user.revoke", target=user)
        await store.revoke((user,), now_s=now_s, until_s=until_s, entry=entry)
        return until_s

    typer.echo(f"{printable(user)} revoked until {moment(_with_store(revoke))}")


def audit(limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100) -> None:
    """List what was done to keys and users, by whom and when; the newest first."""

    async def find(store: CredentialStore) -> list[str]:
        return [_audit_line(entry) for _, entry in await store.audit_page(limit=limit)]

    for line in _with_store(find):
        typer.echo(line)


def _check_grants(scopes: list[str], roles: list[str]) -> None:
    if not scopes and not roles:
        raise failure("give at least one --scope or --role")
    try:
        Roles(read_or_fail(platform_of).roles).check(roles)
    except ValueError as error:
        raise failure(error) from error


def _key_line(key: ApiKey) -> str:
    until = "" if key.expires_at_s is None else f"  until {moment(key.expires_at_s)}"
    return f"{key.id}  {printable(key.name)}  {' '.join(sorted(key.scopes))}{until}"


def _audit_line(entry: AuditEntry) -> str:
    words = (moment(entry.at_s), entry.actor, entry.act, entry.target, entry.details)
    return "  ".join(printable(word) for word in words).rstrip()


def _show_key(id_: str, key: str, *, quiet: bool) -> None:
    typer.echo(key)
    if not quiet:
        typer.echo(f"id {id_}; keep the key safe, it cannot be shown again", err=True)


def _with_store(work: Callable[[CredentialStore], Awaitable[T]]) -> T:
    async def run() -> T:
        store = await open_store(read_database(os.environ))
        try:
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except (AuthError, SettingsError, ValueError) as error:
        raise failure(error) from error
