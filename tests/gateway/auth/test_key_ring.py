"""One key takes another's place while nobody notices."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from dhatu_gateway.auth.errors import InvalidCredentialError, SigningKeyError
from dhatu_gateway.auth.jwks import Algorithm, PrivateKey
from dhatu_gateway.auth.jwt import AccessTokens, Claims
from dhatu_gateway.auth.key_ring import KeySource, make_ring, read_key_file
from gateway.auth.forgery import ADA, CLAIMS, EC_KEY, ED_KEY, NOW_S, POLICY, SECRET, forged, pem, public_pem

NEW_KEY = ed25519.Ed25519PrivateKey.generate()


def current(text: str, algorithm: Algorithm = "EdDSA") -> KeySource:
    return KeySource(text=text, algorithm=algorithm)


def coming(text: str, algorithm: Algorithm = "EdDSA") -> KeySource:
    return KeySource(text=text, algorithm=algorithm, state="next")


def retired(text: str, algorithm: Algorithm = "EdDSA", *, at_s: float = NOW_S) -> KeySource:
    return KeySource(text=text, algorithm=algorithm, state="retired", retired_at_s=at_s)


def instance(*sources: KeySource) -> AccessTokens:
    return AccessTokens(make_ring(sources), POLICY)


def sign(tokens: AccessTokens, now_s: float = NOW_S) -> bytes:
    return tokens.sign(Claims(principal=ADA, jti="j", family="f"), now_s=now_s).encode()


def holds(tokens: AccessTokens, token: bytes, now_s: float) -> bool:
    try:
        return tokens.verify(token, now_s=now_s).principal == ADA
    except InvalidCredentialError:
        return False


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (current(pem(ED_KEY)), current(pem(NEW_KEY))),
        (current(SECRET, "HS256"), current(SECRET[::-1], "HS256")),
        (current(SECRET, "HS256"), current(pem(EC_KEY), "ES256")),
        (current(pem(EC_KEY), "ES256"), current(pem(ED_KEY))),
    ],
)
def test_instances_that_change_their_keys_one_after_the_other_accept_each_others_tokens(
    old: KeySource, new: KeySource
) -> None:
    """Each step is rolled out instance by instance, so two neighbouring steps run side by side."""
    steps = [
        instance(old),
        instance(old, coming(new.text, new.algorithm)),
        instance(new, retired(old.text, old.algorithm, at_s=NOW_S + 100)),
    ]
    for before, after in itertools.pairwise(steps):
        for one, other in ((before, after), (after, before)):
            assert holds(other, sign(one), NOW_S + 1)
    last = sign(steps[1], now_s=NOW_S + 99)
    assert holds(steps[2], last, NOW_S + 698), "until it ends by itself"
    assert not holds(instance(new), last, NOW_S + 100), "which is why the old key stays for a while"


def test_a_retired_key_verifies_nothing_that_it_signs_later() -> None:
    tokens = instance(current(pem(NEW_KEY)), retired(pem(ED_KEY)))
    old = instance(current(pem(ED_KEY)))
    assert holds(tokens, sign(old, NOW_S), NOW_S + 10)
    assert holds(tokens, sign(old, NOW_S + 5), NOW_S + 10), "clocks may differ by the leeway"
    assert not holds(tokens, sign(old, NOW_S + 6), NOW_S + 10)


def test_a_token_dated_back_with_a_stolen_retired_key() -> None:
    kid = make_ring([current(pem(ED_KEY))]).signing.verification.kid
    for_ever = CLAIMS | {"exp": NOW_S * 2}
    token = jwt.encode(for_ever, ED_KEY, "EdDSA", {"typ": "at+jwt", "kid": kid}).encode()
    tokens = instance(current(pem(NEW_KEY)), retired(pem(ED_KEY)))
    tokens.verify(token, now_s=NOW_S + 604)
    with pytest.raises(InvalidCredentialError):
        tokens.verify(token, now_s=NOW_S + 605)


def test_all_keys_of_tokens_that_hold_are_published_the_current_one_first() -> None:
    tokens = instance(
        retired(public_pem(ED_KEY)), coming(public_pem(EC_KEY), "ES256"), current(pem(NEW_KEY)),
        retired(SECRET, "HS256"),
    )  # fmt: skip
    kids = [
        make_ring([current(pem(key), algorithm)]).signing.verification.kid
        for key, algorithm in _keys(NEW_KEY, ED_KEY, EC_KEY)
    ]
    published = tokens.published(now_s=NOW_S + 1)
    assert [jwk["kid"] for jwk in published] == kids
    assert not any("d" in jwk for jwk in published)
    assert [jwk["kid"] for jwk in tokens.published(now_s=NOW_S + 606)] == [kids[0], kids[2]]


def _keys(*keys: PrivateKey) -> list[tuple[PrivateKey, Algorithm]]:
    return [(key, "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256") for key in keys]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "exactly one key must be current"),
        ([coming(pem(ED_KEY))], "exactly one key must be current"),
        ([current(pem(ED_KEY)), current(pem(NEW_KEY))], "exactly one key must be current"),
        ([current(public_pem(ED_KEY))], "private key in PEM"),
        ([current(pem(ED_KEY)), retired(public_pem(ED_KEY))], "given twice"),
        ([current(SECRET, "HS256"), coming(SECRET, "HS256")], "given twice"),
        ([current(pem(ED_KEY)), coming(public_pem(EC_KEY), "RS256")], "another kind of key"),
        ([current(pem(ED_KEY)), coming("nonsense")], "public or private key in PEM"),
    ],
)
def test_keys_that_do_not_go_together(sources: list[KeySource], message: str) -> None:
    with pytest.raises(SigningKeyError, match=message):
        make_ring(sources)


def test_a_key_does_not_print_itself() -> None:
    source = current(SECRET, "HS256")
    assert SECRET not in repr(source)
    assert SECRET not in repr(make_ring([source]).signing)


GOOD: dict[str, Any] = {"file": "now.pem", "algorithm": "EdDSA", "state": "current"}
OLD: dict[str, Any] = {
    "file": "old.txt",
    "algorithm": "HS256",
    "state": "retired",
    "retired_at": "2027-01-15T08:00:00Z",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "now.pem").write_text(pem(ED_KEY))
    (tmp_path / "old.txt").write_text(SECRET + "\n")
    return tmp_path


def written(folder: Path, *entries: object) -> Path:
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": entries}))
    return path


def test_keys_are_read_from_files_beside_the_list(folder: Path) -> None:
    sources = read_key_file(written(folder, GOOD, OLD))
    assert [(source.state, source.algorithm, source.retired_at_s) for source in sources] == [
        ("current", "EdDSA", None),
        ("retired", "HS256", NOW_S),
    ]
    assert holds(AccessTokens(make_ring(sources), POLICY), forged(CLAIMS | {"roles": ["analyst"]} | {
        "scope": "corpus:read"
    }), NOW_S)  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "1 to 16 keys"),
        ([GOOD] * 17, "1 to 16 keys"),
        (["now.pem"], "key 1: must be an object"),
        ([GOOD | {"secret": "hunter2"}], "key 1: secret is unknown"),
        ([GOOD | {"algorithm": "none"}], "key 1: algorithm must be one of"),
        ([GOOD | {"algorithm": "ES256"}], "key 1: .* another kind of key"),
        ([GOOD, OLD | {"state": "gone"}], "key 2: state must be"),
        ([GOOD | {"retired_at": "2027-01-15T08:00:00Z"}], "key 1: a retired key, and no other"),
        ([GOOD, {name: OLD[name] for name in ("file", "algorithm", "state")}], "key 2: a retired key"),
        ([GOOD, OLD | {"retired_at": "2027-01-15T08:00:00"}], "key 2: retired_at must be a time with zone"),
        ([GOOD, OLD | {"retired_at": 7}], "key 2: retired_at must be a time with zone"),
        ([GOOD | {"file": "missing.pem"}], "key 1: cannot read missing.pem: No such file"),
        ([GOOD | {"file": 7}], "key 1: file must be"),
        ([OLD], "exactly one key must be current"),
    ],
)
def test_a_bad_list_is_refused_where_it_is_bad(folder: Path, entries: list[Any], message: str) -> None:
    with pytest.raises(SigningKeyError, match=message) as caught:
        read_key_file(written(folder, *entries))
    assert SECRET not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_list_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match=r"missing\.json: No such file"):
        read_key_file(tmp_path / "missing.json")
    (tmp_path / "broken.json").write_text("hunter2")
    with pytest.raises(SigningKeyError, match=r"broken\.json: it is not JSON") as caught:
        read_key_file(tmp_path / "broken.json")
    assert "hunter2" not in str(caught.value)
