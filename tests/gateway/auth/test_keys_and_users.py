"""API keys and passwords."""

from __future__ import annotations

import re
from math import log2

import pytest
from dhatu_gateway.auth.api_keys import SECRET_LENGTH, ApiKeys, NewKey
from dhatu_gateway.auth.base62 import ALPHABET, checksum, random_text
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.passwords import Cost, Passwords
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.auth.store.memory import MemoryStore
from dhatu_gateway.auth.users import NewUser

NEW = NewKey(
    name="indexer", owner="user:ada", scopes=frozenset({"corpus:read"}), roles=frozenset({"analyst"})
)
NOW_S = 1_800_000_000.0


@pytest.fixture
def keys() -> ApiKeys:
    return ApiKeys(MemoryStore(), b"k" * 32)


async def test_a_key_has_the_documented_form_and_enough_chance_in_it(keys: ApiKeys) -> None:
    record, key = await keys.create(NEW, actor="test", now_s=NOW_S)
    prefix, id_, secret, check = key.split("_")
    assert (prefix, id_) == ("dhk", record.id)
    assert len(secret) == SECRET_LENGTH
    assert SECRET_LENGTH * log2(len(ALPHABET)) >= 128
    assert check == checksum(f"dhk_{id_}_{secret}")
    assert re.fullmatch(r"[0-9A-Za-z]{6}", check)


async def test_a_key_proves_what_it_was_made_for(keys: ApiKeys) -> None:
    record, key = await keys.create(NEW, actor="test", now_s=NOW_S)
    identity = await keys.verify(key.encode(), now_s=NOW_S)
    assert identity.principal.id == f"key:{record.id}"
    assert identity.principal.kind == "api_key"
    assert identity.principal.scopes == {"corpus:read"}
    assert identity.principal.roles == {"analyst"}
    assert identity.expires_at_s is None


async def test_the_store_never_sees_the_key(keys: ApiKeys) -> None:
    record, key = await keys.create(NEW, actor="test", now_s=NOW_S)
    assert key.split("_")[2] not in repr(record)


async def test_an_expired_key_is_refused(keys: ApiKeys) -> None:
    _, key = await keys.create(
        NewKey(name="n", owner="o", scopes=NEW.scopes, expires_in_s=60), actor="test", now_s=NOW_S
    )
    assert (await keys.verify(key.encode(), now_s=NOW_S + 59)).expires_at_s == NOW_S + 60
    with pytest.raises(InvalidCredentialError, match="expired"):
        await keys.verify(key.encode(), now_s=NOW_S + 60)


async def test_both_keys_hold_while_one_takes_the_others_place(keys: ApiKeys) -> None:
    new = NewKey(name="n", owner="o", scopes=NEW.scopes, roles=NEW.roles, expires_in_s=600)
    old, old_key = await keys.create(new, actor="test", now_s=NOW_S)
    made = await keys.rotate(old.id, overlap_s=60, actor="test", now_s=NOW_S + 300)
    assert made is not None
    record, new_key = made
    assert (record.name, record.owner, record.scopes, record.roles) == ("n", "o", NEW.scopes, NEW.roles)
    assert record.expires_at_s == NOW_S + 900, "it lives as long as the old one was to live"
    for key in (old_key, new_key):
        assert (await keys.verify(key.encode(), now_s=NOW_S + 359)).principal.roles == {"analyst"}
    with pytest.raises(InvalidCredentialError):
        await keys.verify(old_key.encode(), now_s=NOW_S + 360)
    assert await keys.verify(new_key.encode(), now_s=NOW_S + 360)


async def test_an_ended_or_unknown_key_is_not_rotated(keys: ApiKeys) -> None:
    old, _ = await keys.create(NEW, actor="test", now_s=NOW_S)
    assert await keys.rotate(old.id, overlap_s=0, actor="test", now_s=NOW_S) is not None
    assert await keys.rotate(old.id, overlap_s=60, actor="test", now_s=NOW_S) is None
    assert await keys.rotate("nobody", overlap_s=60, actor="test", now_s=NOW_S) is None


async def test_a_mistyped_key_is_told_from_an_unknown_one(keys: ApiKeys) -> None:
    record, key = await keys.create(NEW, actor="test", now_s=NOW_S)
    mistyped = key.replace(key[20], "0" if key[20] != "0" else "1", 1)
    for value in (
        mistyped,
        key[:-1],
        key + "x",
        "",
        "dhk_x",
        key.replace("dhk", "xyz"),
        f"{key}\n",
        "dhk_ß_é_ü",
    ):
        with pytest.raises(InvalidCredentialError, match="malformed"):
            await keys.verify(value.encode(), now_s=NOW_S)
    for body in (f"dhk_{record.id}_{random_text(32)}", f"dhk_{random_text(12)}_{random_text(32)}"):
        with pytest.raises(InvalidCredentialError, match="unknown"):
            await keys.verify(f"{body}_{checksum(body)}".encode(), now_s=NOW_S)


async def test_a_key_of_another_store_is_refused() -> None:
    store = MemoryStore()
    _, key = await ApiKeys(store, b"a" * 32).create(NEW, actor="test", now_s=NOW_S)
    with pytest.raises(InvalidCredentialError):
        await ApiKeys(store, b"b" * 32).verify(key.encode(), now_s=NOW_S)


@pytest.mark.parametrize("name", ["corpus:read corpus:write", "", "Corpus:read", "corpus:", "a:b:c", "ä"])
async def test_what_is_no_scope_or_role_is_refused(keys: ApiKeys, name: str) -> None:
    with pytest.raises(ValueError, match="neither a scope"):
        await keys.create(NewKey(name="n", owner="o", scopes=frozenset({name})), actor="test", now_s=NOW_S)


async def test_a_password_matches_itself_alone() -> None:
    passwords = Passwords(Cost(log2_n=4, r=8, p=1))
    stored = await passwords.derive("aṣṭādhyāyī")
    assert stored.startswith("scrypt$4$8$1$")
    assert stored != await passwords.derive("aṣṭādhyāyī"), "the salt must differ"
    assert await passwords.matches("aṣṭādhyāyī", stored)
    assert not await passwords.matches("astadhyayi", stored)
    assert not await passwords.matches("aṣṭādhyāyī", None)


async def test_a_password_stays_valid_when_the_cost_changes() -> None:
    stored = await Passwords(Cost(log2_n=4, r=8, p=1)).derive("secret")
    assert await Passwords(Cost(log2_n=5, r=8, p=2)).matches("secret", stored)


async def test_signing_in_says_the_same_whatever_is_wrong(auth: Auth) -> None:
    await auth.users.create(
        NewUser(name="ada", password="right", scopes=frozenset({"corpus:read"})), actor="test", now_s=NOW_S
    )
    assert (await auth.users.sign_in("ada", "right")).id == "user:ada"
    messages = set[str]()
    for name, password in (("ada", "wrong"), ("bob", "right")):
        with pytest.raises(InvalidCredentialError) as caught:
            await auth.users.sign_in(name, password)
        messages.add(str(caught.value))
    assert len(messages) == 1


async def test_a_user_name_is_given_once(auth: Auth) -> None:
    new = NewUser(name="ada", password="p", scopes=frozenset())
    await auth.users.create(new, actor="test", now_s=NOW_S)
    with pytest.raises(ValueError, match="already a user called 'ada'"):
        await auth.users.create(new, actor="test", now_s=NOW_S)
