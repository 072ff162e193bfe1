"""Fields that caches go by, read as RFC 9111 and RFC 9110 say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

MAX_SECONDS = 2**31
"""What a larger number of seconds counts as (RFC 9111 section 1.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directives:
    """A Cache-Control field; of a directive that is there twice, the first counts."""

    no_store: bool = False
    no_cache: bool = False
    private: bool = False
    public: bool = False
    must_revalidate: bool = False
    only_if_cached: bool = False
    max_age_s: int | None = None
    s_maxage_s: int | None = None
    min_fresh_s: int = 0
    max_stale_s: int | None = None
    """None where the directive is not there; it may be there without a number, for any age."""
    stale_if_error_s: int | None = None
    """RFC 5861."""


NONE = Directives()


@lru_cache(maxsize=512)
def parse_directives(field: bytes) -> Directives:
    """Read a Cache-Control field.

    >>> parse_directives(b'max-age=60, s-maxage="5", no-cache="set-cookie"').s_maxage_s
    5

    A time that cannot be read counts as 0 (RFC 9111 section 4.2.1: better stale than wrongly fresh).
    """
    known: dict[str, str] = {}
    for part in field.decode("latin-1").split(","):
        name, _, value = part.partition("=")
        known.setdefault(name.strip().lower(), value.strip().strip('"'))
    return Directives(
        no_store="no-store" in known,
        # With names of fields it is about those only; to take it for the whole is allowed, and simple.
        no_cache="no-cache" in known,
        private="private" in known,
        public="public" in known,
        must_revalidate=not known.keys().isdisjoint({"must-revalidate", "proxy-revalidate", "s-maxage"}),
        only_if_cached="only-if-cached" in known,
        max_age_s=_seconds(known.get("max-age")),
        s_maxage_s=_seconds(known.get("s-maxage")),
        min_fresh_s=_seconds(known.get("min-fresh")) or 0,
        max_stale_s=MAX_SECONDS if known.get("max-stale") == "" else _seconds(known.get("max-stale")),
        stale_if_error_s=_seconds(known.get("stale-if-error")),
    )


def directives_of(fields: Mapping[bytes, bytes]) -> Directives:
    """The Cache-Control of a message; `Pragma: no-cache` stands in for it where it is not there."""
    field = fields.get(b"cache-control")
    if field is not None:
        return parse_directives(field)
    return parse_directives(b"no-cache") if fields.get(b"pragma", b"").lower() == b"no-cache" else NONE


def names_in(field: bytes) -> tuple[bytes, ...]:
    """The field names that a Vary field lists, in lower case and in order.

    >>> names_in(b"Accept-Language, accept")
    (b'accept', b'accept-language')
    """
    return tuple(sorted({name.strip().lower() for name in field.split(b",")} - {b""}))


def moment_s(field: bytes | None) -> float | None:
    """An HTTP date in seconds since the epoch; None where there is none, or it cannot be read."""
    if field is None:
        return None
    try:
        moment = parsedate_to_datetime(field.decode("latin-1"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    return min(int(text), MAX_SECONDS) if text.isascii() and text.isdigit() else 0
