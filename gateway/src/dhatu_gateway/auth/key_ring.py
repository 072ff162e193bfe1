"""Several keys at once, so that one can take another's place while nobody notices.

A new key is `next` first: published and accepted, so that whoever caches the published keys knows it in time.
Then it is `current`: the one that signs. The key before is `retired`: it verifies what it signed until that
has run out, and nothing that it signs later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from dhatu_gateway.auth.errors import SigningKeyError
from dhatu_gateway.auth.jwks import (
    ALGORITHMS,
    Algorithm,
    SigningKey,
    VerificationKey,
    load_signing_key,
    load_verification_key,
)

State: TypeAlias = Literal["current", "next", "retired"]

MAX_KEYS = 16
MEMBERS = frozenset({"file", "algorithm", "state", "retired_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """A key as the operator gave it; text, so that it can be handed to worker processes."""

    text: str = field(repr=False)
    """The secret of HS256, or a key in PEM: private for `current`, public or private for the others."""
    algorithm: Algorithm = "HS256"
    state: State = "current"
    retired_at_s: float | None = None
    """When it stopped signing, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedKey:
    """A key that verifies tokens."""

    key: VerificationKey
    retired_at_s: float | None = None
    """Tokens that were issued later are refused."""


class KeyRing:
    """The key that signs, and all that are accepted."""

    def __init__(self, signing: SigningKey, others: Iterable[AcceptedKey] = ()) -> None:
        """Raises `SigningKeyError` where a key is given twice."""
        self.signing = signing
        self._keys = (AcceptedKey(key=signing.verification), *others)
        self._by_name: dict[str | None, tuple[AcceptedKey, ...]] = {}
        for accepted in self._keys:
            same_name = self._by_name.get(accepted.key.kid, ())
            if any(other.key == accepted.key for other in same_name):
                raise SigningKeyError("a key is given twice: each has one state")
            self._by_name[accepted.key.kid] = (*same_name, accepted)

    @property
    def accepted(self) -> tuple[VerificationKey, ...]:
        """Every key, the current one first."""
        return tuple(accepted.key for accepted in self._keys)

    def find(self, kid: str | None) -> tuple[AcceptedKey, ...]:
        """The keys of that name: one at most, but for shared secrets, which have none."""
        return self._by_name.get(kid, ())

    def published(self, *, issued_since_s: float) -> list[dict[str, str]]:
        """The public keys, the current one first; not those retired before the oldest token that holds."""
        return [
            accepted.key.jwk
            for accepted in self._keys
            if accepted.key.jwk is not None
            and (accepted.retired_at_s is None or accepted.retired_at_s > issued_since_s)
        ]


def make_ring(sources: Iterable[KeySource]) -> KeyRing:
    """Load every key; raises `SigningKeyError` unless exactly one of them is `current`."""
    sources = tuple(sources)
    current = [source for source in sources if source.state == "current"]
    if len(current) != 1:
        raise SigningKeyError(f"exactly one key must be current, the one that signs; {len(current)} are")
    signing = load_signing_key(current[0].text, current[0].algorithm)
    return KeyRing(
        signing,
        [
            AcceptedKey(
                key=load_verification_key(source.text, source.algorithm), retired_at_s=source.retired_at_s
            )
            for source in sources
            if source.state != "current"
        ],
    )


def read_key_file(path: Path) -> tuple[KeySource, ...]:
    """Read `{"keys": [{"file", "algorithm", "state", "retired_at"}, ...]}`; paths start at its own folder.

    Raises `SigningKeyError` that names the entry. Nothing of a key's content is repeated.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SigningKeyError(f"cannot read {path}: {_reason(error)}") from error
    keys: object = cast(dict[str, Any], document).get("keys") if isinstance(document, dict) else None
    entries = list(cast(Iterable[Any], keys)) if isinstance(keys, list) else []
    if not 1 <= len(entries) <= MAX_KEYS:
        raise SigningKeyError(f'{path} must hold {{"keys": [...]}} with 1 to {MAX_KEYS} keys')
    sources = tuple(
        _source(entry, path.parent, f"{path}, key {number}") for number, entry in enumerate(entries, start=1)
    )
    make_ring(sources)
    return sources


def _source(entry: Any, folder: Path, where: str) -> KeySource:
    if not isinstance(entry, dict):
        raise SigningKeyError(f"{where}: must be an object")
    written = cast(dict[str, Any], entry)
    unknown = sorted(written.keys() - MEMBERS)
    if unknown:
        raise SigningKeyError(
            f"{where}: {', '.join(unknown)} is unknown; there are {', '.join(sorted(MEMBERS))}"
        )
    algorithm, state = written.get("algorithm"), written.get("state")
    if algorithm not in ALGORITHMS:
        raise SigningKeyError(f"{where}: algorithm must be one of {', '.join(ALGORITHMS)}")
    if state not in ("current", "next", "retired"):
        raise SigningKeyError(f"{where}: state must be current, next or retired")
    if (state == "retired") != ("retired_at" in written):
        raise SigningKeyError(f"{where}: a retired key, and no other, needs retired_at")
    source = KeySource(
        text=_text(folder, written.get("file"), where),
        algorithm=algorithm,
        state=state,
        retired_at_s=_time(written["retired_at"], where) if state == "retired" else None,
    )
    try:
        load = load_signing_key if state == "current" else load_verification_key
        load(source.text, source.algorithm)
    except SigningKeyError as error:
        raise SigningKeyError(f"{where}: {error}") from error
    return source


def _text(folder: Path, name: Any, where: str) -> str:
    if not isinstance(name, str) or not name:
        raise SigningKeyError(f"{where}: file must be the path of a key")
    try:
        return (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SigningKeyError(f"{where}: cannot read {name}: {_reason(error)}") from error


def _time(value: Any, where: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SigningKeyError(f"{where}: retired_at must be a time with zone such as 2026-03-01T08:00:00Z")
    return moment.timestamp()


def _reason(error: OSError | ValueError) -> str:
    # A decoder's message may repeat what it could not read.
    return (
        error.strerror or "it cannot be opened"
        if isinstance(error, OSError)
        else "it is not JSON or UTF-8 text"
    )
