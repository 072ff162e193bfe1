"""The memory of verified credentials."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dhatu_gateway.auth.authenticator import RECHECK_S, Authenticator, SchemeAuthenticator
from dhatu_gateway.auth.credentials import VerifiedCredentials
from dhatu_gateway.auth.errors import AuthError, InvalidCredentialError
from dhatu_gateway.auth.identity import Identity
from dhatu_gateway.core.exchange import Principal
from dhatu_gateway.core.types import SecurityScheme

ADA = Principal(id="user:ada", kind="user", scopes=frozenset(), roles=frozenset())
WALL_S = 1_800_000_000.0


def identity(*ids: str, expires_at_s: float | None = None) -> Identity:
    return Identity(principal=ADA, expires_at_s=expires_at_s, revocation_ids=ids)


def test_one_credential_in_many_spellings_pushes_out_no_others() -> None:
    credentials = VerifiedCredentials(max_entries=20, recheck_s=5)
    credentials.add(b"other", identity("key:2"), now_s=0, wall_now_s=WALL_S)
    for blanks in range(100):
        value = b"Bearer" + b" " * blanks + b"token"
        credentials.add(value, identity("token:1", "user:ada"), now_s=0, wall_now_s=WALL_S)
    assert b"other" in credentials.by_value
    assert len(credentials.by_value) < 10
    credentials.revoke("token:1")
    assert list(credentials.by_value) == [b"other"]


class CountingVerifier:
    """Accepts everything but `bad`, and lets a test act while the store is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def verify(self, value: bytes, *, now_s: float) -> Identity:
        self.calls += 1
        self.meanwhile()
        if value == b"bad":
            raise InvalidCredentialError("bad")
        return identity("key:1", expires_at_s=WALL_S + 3)


@pytest.fixture
def verifier() -> CountingVerifier:
    return CountingVerifier()


@pytest.fixture
def scheme(verifier: CountingVerifier) -> SchemeAuthenticator:
    return SchemeAuthenticator(verifier, lambda: WALL_S)


async def test_a_credential_is_verified_once_until_it_ends(
    scheme: SchemeAuthenticator, verifier: CountingVerifier
) -> None:
    for now_s in (10.0, 11.0, 12.9):
        assert (await scheme.verify(b"good", now_s)).principal == ADA
    assert verifier.calls == 1
    await scheme.verify(b"good", 13.0)
    assert verifier.calls == 2


async def test_an_invalid_credential_is_not_remembered(
    scheme: SchemeAuthenticator, verifier: CountingVerifier
) -> None:
    for _ in range(2):
        with pytest.raises(InvalidCredentialError):
            await scheme.verify(b"bad", 10.0)
    assert verifier.calls == 2
    assert not scheme.verified.by_value


async def test_a_revocation_is_noticed_at_once(
    scheme: SchemeAuthenticator, verifier: CountingVerifier
) -> None:
    await scheme.verify(b"good", 10.0)
    scheme.verified.revoke("key:2")
    await scheme.verify(b"good", 10.0)
    assert verifier.calls == 1
    scheme.verified.revoke("key:1")
    await scheme.verify(b"good", 10.0)
    assert verifier.calls == 2


async def test_a_revocation_during_verification_is_not_lost(
    scheme: SchemeAuthenticator, verifier: CountingVerifier
) -> None:
    verifier.meanwhile = lambda: scheme.verified.revoke("key:1")
    await scheme.verify(b"good", 10.0)
    assert not scheme.verified.by_value


def test_a_credential_without_end_is_verified_again_before_long() -> None:
    memory = VerifiedCredentials(max_entries=10, recheck_s=RECHECK_S)
    verified = memory.add(b"a", identity("key:1"), now_s=100.0, wall_now_s=WALL_S)
    assert verified.valid_until_s == 100.0 + RECHECK_S


def test_the_oldest_leave_first_and_leave_nothing_behind() -> None:
    memory = VerifiedCredentials(max_entries=3, recheck_s=5.0)
    for number in range(10):
        memory.add(b"%d" % number, identity(f"token:{number}", "user:ada"), now_s=0.0, wall_now_s=WALL_S)
    assert list(memory.by_value) == [b"7", b"8", b"9"]
    memory.add(b"8", identity("token:8", "user:ada"), now_s=1.0, wall_now_s=WALL_S)
    assert sorted(memory.by_value) == [b"7", b"8", b"9"]
    memory.revoke("token:3")
    memory.revoke("user:ada")
    assert not memory.by_value


@pytest.mark.parametrize(
    ("kind", "location"), [("basic", "header"), ("mutual_tls", "header"), ("api_key", "query")]
)
def test_a_scheme_that_cannot_be_enforced_is_refused_at_boot(kind: str, location: str) -> None:
    verifier = CountingVerifier()
    authenticator = Authenticator(bearer=verifier, api_key=verifier)
    # Not checked by the types: the values come from the list above
    scheme = SecurityScheme(key="odd", kind=kind, location=location, parameter="q")  # type: ignore[arg-type]
    with pytest.raises(AuthError, match="'odd'"):
        authenticator.scheme(scheme)
