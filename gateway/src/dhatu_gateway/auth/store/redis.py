"""Credentials in Redis or Valkey, shared by instances on several machines.

Everything is one hash, sorted set or list per kind, and their names share a hash tag, so that a cluster keeps
them in one place and a script may change several at once. Nothing has a time to live: times are the caller's,
as in the other stores.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError, NoPermissionError, RedisError, TimeoutError

from dhatu_gateway.auth.errors import StoreError
from dhatu_gateway.auth.records import (
    ApiKey,
    AuditEntry,
    ExternalUser,
    NumberedEntry,
    Position,
    RefreshToken,
    User,
)
from dhatu_gateway.auth.store.encoding import (
    read_entry,
    read_external_user,
    read_key,
    read_refresh_token,
    read_user,
    written,
)

PREFIX = "dhatu:{auth}:"
TIMEOUT_S = 2.0
PAUSE_S = 1.0
"""How long a server that cannot be reached is left alone, so that not every call waits for it in turn."""

NO_KEY: Final = written(
    ApiKey(
        id="",
        name="nobody's key",
        owner="user:nobody",
        scopes=frozenset({"corpus:read", "corpus:write"}),
        roles=frozenset(),
        digest=bytes(32),
        created_at_s=0.0,
        expires_at_s=None,
    )
)
"""Read in place of a key that does not exist."""

_SCRIPTS: Final = files("dhatu_gateway.auth.store").joinpath("lua")


class RedisStore:
    """A `CredentialStore` on a server; nothing is sent before the first use."""

    def __init__(
        self,
        url: str,
        password: str | None = None,
        *,
        prefix: str = PREFIX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ask_again_at_s = 0.0
        self._client: Redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  # **kwargs is untyped
            url,
            password=password,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._keys, self._by_age, self._users = prefix + "keys", prefix + "keys-by-age", prefix + "users"
        self._tokens, self._ends, self._used = (
            prefix + "tokens",
            prefix + "token-ends",
            prefix + "tokens-used",
        )
        self._revoked, self._secrets, self._log = prefix + "revoked", prefix + "secrets", prefix + "audit"
        self._guests, self._guest_ends = prefix + "external-users", prefix + "external-user-ends"
        self._spent, self._dropped = prefix + "spent", prefix + "audit-dropped"
        self._find_key = self._script("find_key")
        self._revoke_key = self._script("revoke_key")
        self._replace_key = self._script("replace_key")
        self._add_user = self._script("add_user")
        self._keep_external_user = self._script("keep_external_user")
        self._add_refresh_token = self._script("add_refresh_token")
        self._audit_page = self._script("audit_page")
        self._trim_audit_log = self._script("trim_audit_log")
        self._spend_refresh_token = self._script("spend_refresh_token")

    def _script(self, name: str) -> AsyncScript:
        return self._client.register_script(_SCRIPTS.joinpath(name + ".lua").read_text(encoding="utf-8"))

    @asynccontextmanager
    async def _asking(self) -> AsyncGenerator[None]:
        if self._clock() < self._ask_again_at_s:
            raise StoreError("the server of GATEWAY_DATABASE failed a moment ago and is left alone")
        try:
            yield
        except (RedisError, OSError) as error:
            if isinstance(error, ConnectionError | TimeoutError | OSError):
                self._ask_again_at_s = self._clock() + PAUSE_S
            # The client's messages name the host; the URL, which may hold a password, is not repeated.
            raise StoreError(f"the server of GATEWAY_DATABASE failed: {error}") from error

    async def check(self) -> None:
        """Refuse a server that may throw credentials away: a revocation that is forgotten is none."""
        async with self._asking():
            try:
                memory = await _told(self._client.info("memory"))  # pyright: ignore[reportUnknownMemberType]  # as above
            except NoPermissionError:
                return
        policy = str(memory.get("maxmemory_policy", ""))
        if policy.startswith("allkeys"):
            raise StoreError(
                f"the server of GATEWAY_DATABASE may evict credentials (maxmemory-policy is {policy}): "
                "set it to noeviction, or to one of the volatile policies"
            )

    async def add_key(self, key: ApiKey, entry: AuditEntry) -> None:
        async with self._asking(), self._client.pipeline(transaction=True) as changes:
            changes.hset(self._keys, key.id, written(key))
            changes.zadd(self._by_age, {_member(key.created_at_s, key.id): 0})
            changes.rpush(self._log, written(entry))
            await changes.execute()

    async def find_key(self, key_id: str) -> ApiKey | None:
        async with self._asking():
            key = read_key(await _told(self._find_key(keys=(self._keys,), args=(key_id, NO_KEY))))
        return key if key.id == key_id else None

    async def list_keys(self, *, after: Position | None, limit: int) -> Sequence[ApiKey]:
        start = b"(" + _member(after.created_at_s, after.id) if after else "-"
        async with self._asking():
            members: list[bytes] = await _told(self._client.zrangebylex(self._by_age, start, "+", 0, limit))
            ids = [member[AGE_BYTES:].decode() for member in members]
            found: list[bytes | None] = await _told(self._client.hmget(self._keys, ids)) if ids else []
        # One that was revoked between the two questions is not there any more.
        return [read_key(text) for text in found if text is not None]

    async def revoke_key(self, key_id: str, entry: AuditEntry) -> bool:
        key = await self.find_key(key_id)
        if key is None:
            return False
        arguments = (key_id, _member(key.created_at_s, key_id), written(entry))
        return await self._run(self._revoke_key, (self._keys, self._by_age, self._log), arguments)

    async def replace_key(self, old: ApiKey, new: ApiKey, entry: AuditEntry, *, until_s: float) -> bool:
        async with self._asking():
            found = await _told(self._client.hget(self._keys, old.id))
        if found is None or read_key(found) != old:
            return False
        arguments = (
            *(old.id, found, written(old.ending(until_s))),
            *(new.id, written(new), _member(new.created_at_s, new.id)),
            written(entry),
        )
        return await self._run(self._replace_key, (self._keys, self._by_age, self._log), arguments)

    async def add_user(self, user: User, entry: AuditEntry) -> bool:
        arguments = (user.name, written(user), written(entry))
        return await self._run(self._add_user, (self._users, self._log), arguments)

    async def find_user(self, name: str) -> User | None:
        async with self._asking():
            found = await _told(self._client.hget(self._users, name))
        return read_user(found) if found is not None else None

    async def keep_external_user(self, user: ExternalUser) -> None:
        arguments = (user.id, written(user), repr(user.valid_until_s), repr(user.signed_in_at_s))
        await self._run(self._keep_external_user, (self._guests, self._guest_ends), arguments)

    async def find_external_user(self, user_id: str) -> ExternalUser | None:
        async with self._asking():
            found = await _told(self._client.hget(self._guests, user_id))
        return read_external_user(found) if found is not None else None

    async def add_refresh_token(self, token: RefreshToken) -> None:
        arguments = (token.id, written(token), repr(token.expires_at_s), repr(token.created_at_s))
        await self._run(self._add_refresh_token, (self._tokens, self._ends, self._used), arguments)

    async def find_refresh_token(self, token_id: str) -> RefreshToken | None:
        async with self._asking(), self._client.pipeline(transaction=True) as questions:
            questions.hget(self._tokens, token_id)
            questions.hget(self._used, token_id)
            found, used = cast(list[bytes | None], await questions.execute())
        if found is None:
            return None
        return read_refresh_token(found, used_at_s=float(used) if used is not None else None)

    async def spend_refresh_token(self, token_id: str, *, now_s: float) -> bool:
        return await self._run(self._spend_refresh_token, (self._tokens, self._used), (token_id, repr(now_s)))

    async def spend(self, id_: str, *, now_s: float, until_s: float) -> bool:
        async with self._asking(), self._client.pipeline(transaction=True) as changes:
            changes.zremrangebyscore(self._spent, "-inf", repr(now_s))
            changes.zadd(self._spent, {id_: until_s}, nx=True)
            _, added = cast(tuple[int, int], await changes.execute())
        return added == 1

    async def revoke(
        self, ids: Iterable[str], *, now_s: float, until_s: float, entry: AuditEntry | None = None
    ) -> None:
        async with self._asking(), self._client.pipeline(transaction=True) as changes:
            changes.zremrangebyscore(self._revoked, "-inf", repr(now_s))
            changes.zadd(self._revoked, dict.fromkeys(ids, until_s), gt=True)
            if entry is not None:
                changes.rpush(self._log, written(entry))
            await changes.execute()

    async def is_revoked(self, ids: Sequence[str]) -> bool:
        async with self._asking():
            ends = await _told(self._client.zmscore(self._revoked, list(ids)))
        return any(end is not None for end in ends)

    async def note(self, entry: AuditEntry) -> None:
        async with self._asking():
            await _told(self._client.rpush(self._log, written(entry)))

    async def audit_page(self, *, limit: int, before: int | None = None) -> Sequence[NumberedEntry]:
        async with self._asking():
            number, *texts = cast(
                list[Any],
                await _told(self._audit_page(keys=(self._log, self._dropped), args=(limit, before or 0))),
            )
        return [NumberedEntry(number - at, read_entry(text)) for at, text in enumerate(texts)]

    async def trim_audit_log(self, *, before_s: float, limit: int) -> int:
        async with self._asking():
            keys, arguments = (self._log, self._dropped), (repr(before_s), limit)
            return int(await _told(self._trim_audit_log(keys=keys, args=arguments)))

    async def secret(self, name: str) -> bytes:
        async with self._asking(), self._client.pipeline(transaction=True) as changes:
            changes.hsetnx(self._secrets, name, secrets.token_hex(32))
            changes.hget(self._secrets, name)
            _, value = cast(tuple[int, bytes], await changes.execute())
        return bytes.fromhex(value.decode())

    async def ping(self) -> None:
        async with self._asking():
            await _told(self._client.ping())  # pyright: ignore[reportUnknownMemberType]  # **kwargs is untyped

    async def close(self) -> None:
        await self._client.aclose()

    async def _run(self, script: AsyncScript, keys: tuple[str, ...], arguments: tuple[Any, ...]) -> bool:
        async with self._asking():
            return bool(await _told(script(keys=keys, args=arguments)) == 1)


AGE_BYTES = 16


def _member(created_at_s: float, id_: str) -> bytes:
    """Sorts as (created_at_s, id): the bits of a positive double are ordered as the numbers are."""
    return (struct.pack(">d", created_at_s).hex() + id_).encode()


async def _told(answer: Awaitable[Any] | Any) -> Any:
    # The client's methods are typed for its synchronous twin too.
    return await cast(Awaitable[Any], answer)
