"""People who sign in with a name and a password."""

from __future__ import annotations

from dataclasses import dataclass

from dhatu_gateway.auth.api_keys import check_names
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.identity import user_id
from dhatu_gateway.auth.passwords import Passwords
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.records import AuditEntry, User
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.core.exchange import Principal

WRONG = "The user name or the password is wrong."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """The user to create."""

    name: str
    password: str
    scopes: frozenset[str]
    roles: frozenset[str] = frozenset()


class Users:
    """Creates users and checks their passwords."""

    def __init__(self, store: CredentialStore, passwords: Passwords, roles: Roles | None = None) -> None:
        self._store = store
        self._roles = roles or Roles()
        self._passwords = passwords

    async def create(self, new: NewUser, *, actor: str, now_s: float) -> User:
        """Keep a new user; raises `ValueError` where the name is taken or a scope or role is not a name."""
        check_names(new.scopes | new.roles)
        user = User(
            name=new.name,
            password=await self._passwords.derive(new.password),
            scopes=new.scopes,
            roles=new.roles,
            created_at_s=now_s,
        )
        granted = " ".join((*sorted(user.scopes), *sorted(user.roles)))
        entry = AuditEntry(
            at_s=now_s,
            actor=actor,
            act="user.create",
            target=user_id(user.name),
            details=f"grants {granted}",
        )
        if not await self._store.add_user(user, entry):
            raise ValueError(f"there is already a user called {new.name!r}")
        return user

    async def sign_in(self, name: str, password: str) -> Principal:
        """Check a password; raises one `InvalidCredentialError`, after the same time, whatever is wrong."""
        user = await self._store.find_user(name)
        matches = await self._passwords.matches(password, user.password if user is not None else None)
        if not matches or user is None or user.disabled:
            raise InvalidCredentialError(WRONG)
        return self._roles.expand(principal_of(user))


def principal_of(user: User) -> Principal:
    """The caller that a user is, before the roles are expanded."""
    return Principal(id=user_id(user.name), kind="user", scopes=user.scopes, roles=user.roles)
