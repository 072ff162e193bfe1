"""An answer that is kept, and what a cache may do with it now: pure, all times given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import orjson

from dhatu_gateway.core.cache.directives import MAX_SECONDS, Directives, directives_of, moment_s, names_in
from dhatu_gateway.core.exchange import Header
from dhatu_gateway.core.headers import by_name, headers_read, headers_written

STORED_STATUSES = frozenset({200, 203, 204, 300, 301, 404, 405, 410, 414, 501})
"""Those that say something lasting; RFC 9110 section 15.1, without 206, whose parts are not put together."""
MAX_BODY_BYTES = 1_048_576
MAX_VARIANT_NAMES = 8

_NOT_KEPT = frozenset(
    {b"age", b"connection", b"date", b"set-cookie", b"trailer", b"transfer-encoding", b"x-cache"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One answer of a service."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    stored_at_s: float
    """Since the epoch; of the answer, or of the one that said that it still holds."""
    initial_age_s: float
    """How old it was on its arrival, by its own Age or Date."""
    fresh_s: float
    """How long it is fresh, counted from its making."""
    stale_if_error_s: float
    """How long after that it may stand in for an error."""
    must_revalidate: bool

    def age_s(self, now_s: float) -> float:
        """RFC 9111 section 4.2.3; never negative, whatever the clocks say."""
        return self.initial_age_s + max(0.0, now_s - self.stored_at_s)

    def field(self, name: bytes) -> bytes | None:
        """The value of a field that is there once."""
        return next((value for known, value in self.headers if known == name), None)

    @property
    def varies_by(self) -> tuple[bytes, ...]:
        """The fields of a request that the answer says it depends on."""
        return names_in(by_name(self.headers).get(b"vary", b""))

    @property
    def kept_s(self) -> float:
        """How long it is worth keeping, from when it was stored.

        One with a validator is kept on for as long again, since the service may say that it still holds.
        """
        left_s = max(0.0, self.fresh_s - self.initial_age_s)
        checkable = self.field(b"etag") is not None or self.field(b"last-modified") is not None
        return left_s + max(self.stale_if_error_s, left_s if checkable else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """That answers at this place differ by more fields of the request than the specification says."""

    names: tuple[bytes, ...]


Kept: TypeAlias = Entry | Variants


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What x-dhatu says of an operation's answers; the answers themselves count more."""

    ttl_s: float
    stale_if_error_s: float


def storable(
    status: int, headers: tuple[Header, ...], asked: Directives, rules: Rules, *, shared: bool
) -> bool:
    """Whether an answer may be kept (RFC 9111 section 3).

    `shared` where it is for everybody: then the answer must not be private. An answer that sets a cookie is
    about one session, whatever else it says.
    """
    fields = by_name(headers)
    told = directives_of(fields)
    return (
        status in STORED_STATUSES
        and not asked.no_store
        and not told.no_store
        and not (told.private and shared)
        and b"set-cookie" not in fields
        and b"content-range" not in fields
        and b"*" not in names_in(fields.get(b"vary", b""))
        and (rules.ttl_s > 0 or told.max_age_s is not None or told.s_maxage_s is not None)
    )


def make_entry(status: int, headers: tuple[Header, ...], body: bytes, rules: Rules, *, now_s: float) -> Entry:
    """Keep an answer that is `storable`; `now_s` is when it arrived, since the epoch."""
    fields = by_name(headers)
    told = directives_of(fields)
    made_at_s = moment_s(fields.get(b"date"))
    age = fields.get(b"age", b"")
    apparent_s = max(0.0, now_s - made_at_s) if made_at_s is not None else 0.0
    age_s = float(min(int(age), MAX_SECONDS)) if age.isdigit() else 0.0
    stale_s = told.stale_if_error_s if told.stale_if_error_s is not None else rules.stale_if_error_s
    return Entry(
        status=status,
        headers=tuple(header for header in headers if header[0] not in _NOT_KEPT),
        body=body,
        stored_at_s=now_s,
        initial_age_s=max(apparent_s, age_s),
        fresh_s=0.0 if told.no_cache else _fresh_s(fields, told, made_at_s, rules, now_s),
        stale_if_error_s=0.0 if told.must_revalidate or told.no_cache else stale_s,
        must_revalidate=told.must_revalidate or told.no_cache,
    )


def _fresh_s(
    fields: Mapping[bytes, bytes], told: Directives, made_at_s: float | None, rules: Rules, now_s: float
) -> float:
    """RFC 9111 section 4.2.1: s-maxage, max-age, Expires, and only then what the operator says."""
    for seconds in (told.s_maxage_s, told.max_age_s):
        if seconds is not None:
            return float(seconds)
    if b"expires" in fields:
        expires_s = moment_s(fields[b"expires"])
        return max(0.0, (expires_s or 0.0) - (made_at_s if made_at_s is not None else now_s))
    return rules.ttl_s


def renewed(entry: Entry, headers: tuple[Header, ...], rules: Rules, *, now_s: float) -> Entry:
    """The entry after a 304: its fields take the place of those that were kept (RFC 9111 section 3.2)."""
    new = {name for name, _ in headers} - {b"content-length", b"content-encoding", b"content-type"}
    kept = tuple(header for header in entry.headers if header[0] not in new)
    added = tuple(header for header in headers if header[0] in new)
    made = make_entry(entry.status, (*kept, *added), entry.body, rules, now_s=now_s)
    return replace(made, stored_at_s=now_s)


def is_usable(entry: Entry, asked: Directives, *, now_s: float) -> bool:
    """Whether an answer may be given without asking the service (RFC 9111 section 4.2 and 5.2.1)."""
    age_s = entry.age_s(now_s)
    if asked.no_cache or asked.no_store or (asked.max_age_s is not None and age_s > asked.max_age_s):
        return False
    left_s = entry.fresh_s - age_s
    if left_s > 0:
        return left_s >= asked.min_fresh_s
    return asked.max_stale_s is not None and not entry.must_revalidate and -left_s <= asked.max_stale_s


def stands_in(entry: Entry, *, now_s: float) -> bool:
    """Whether an answer may be given in place of an error (RFC 5861 section 4)."""
    return entry.age_s(now_s) <= entry.fresh_s + entry.stale_if_error_s and not entry.must_revalidate


def encode_kept(kept: Kept) -> bytes:
    """A line of JSON, then the body as it is."""
    match kept:
        case Variants(names=names):
            return orjson.dumps({"names": [name.decode("latin-1") for name in names]}) + b"\n"
        case Entry():
            line = {
                "status": kept.status,
                "headers": headers_written(kept.headers),
                "times": [kept.stored_at_s, kept.initial_age_s, kept.fresh_s, kept.stale_if_error_s],
                "must_revalidate": kept.must_revalidate,
            }
            return orjson.dumps(line) + b"\n" + kept.body


def decode_kept(data: bytes) -> Kept:
    """Read what `encode_kept` has written."""
    line, _, body = data.partition(b"\n")
    known = cast(dict[str, Any], orjson.loads(line))
    if "names" in known:
        return Variants(names=tuple(name.encode("latin-1") for name in known["names"]))
    stored_at_s, initial_age_s, fresh_s, stale_if_error_s = known["times"]
    return Entry(
        status=known["status"],
        headers=headers_read(known["headers"]),
        body=body,
        stored_at_s=stored_at_s,
        initial_age_s=initial_age_s,
        fresh_s=fresh_s,
        stale_if_error_s=stale_if_error_s,
        must_revalidate=known["must_revalidate"],
    )
