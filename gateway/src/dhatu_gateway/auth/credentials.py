"""Verified credentials, so that each is verified once and not with every request."""

from __future__ import annotations

from typing import NamedTuple

from dhatu_gateway.auth.identity import Identity
from dhatu_gateway.core.exchange import Principal

MAX_SPELLINGS = 8
"""How many spellings of one credential are remembered: `Bearer` may be written in any case, with any blanks;
nobody should push out all other credentials by spelling one in many ways."""


class Verified(NamedTuple):
    """A caller whose credential has been verified; a tuple, because every request reads one."""

    principal: Principal
    valid_until_s: float
    """On the monotonic clock."""
    revocation_ids: tuple[str, ...]


class VerifiedCredentials:
    """Remembers verified credentials by their bytes, at most `max_entries`; the oldest leave first.

    Only valid credentials enter, so nobody can fill it with guesses. An entry is believed for `recheck_s` and
    then verified anew: that is how long a revocation by another process can take to be noticed. Revocations
    by this process are noticed at once.
    """

    def __init__(self, *, max_entries: int, recheck_s: float) -> None:
        self.by_value: dict[bytes, Verified] = {}
        """Read directly by the request path: one lookup, no call."""
        self.revocations = 0
        """Counts `revoke` calls: a verification that began before one may have read what no longer holds."""
        self._max_entries = max_entries
        self._recheck_s = recheck_s
        self._by_id: dict[str, set[bytes]] = {}

    def add(self, value: bytes, identity: Identity, *, now_s: float, wall_now_s: float) -> Verified:
        """Remember a credential until it ends or is due to be verified again, whichever comes first."""
        left_s = self._recheck_s
        if identity.expires_at_s is not None:
            left_s = min(left_s, identity.expires_at_s - wall_now_s)
        verified = Verified(identity.principal, now_s + left_s, identity.revocation_ids)
        self._forget(value)
        if len(self._by_id.get(verified.revocation_ids[0], ())) >= MAX_SPELLINGS:
            return verified
        if len(self.by_value) >= self._max_entries:
            self._forget(next(iter(self.by_value)))
        self.by_value[value] = verified
        for id_ in verified.revocation_ids:
            self._by_id.setdefault(id_, set()).add(value)
        return verified

    def revoke(self, revocation_id: str) -> None:
        """Forget every credential that carries this id."""
        self.revocations += 1
        for value in tuple(self._by_id.get(revocation_id, ())):
            self._forget(value)

    def _forget(self, value: bytes) -> None:
        verified = self.by_value.pop(value, None)
        if verified is None:
            return
        for id_ in verified.revocation_ids:
            values = self._by_id[id_]
            values.discard(value)
            if not values:
                del self._by_id[id_]
