"""What a server says of the end of an operation: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from .._policies.retry import date_s

# A link, and the relation types that it has (RFC 8288, section 3).
_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r';\s*rel="?([^";,]*)"?', re.IGNORECASE)
_SPEAKS_OF_IT = frozenset({"deprecation", "sunset", "successor-version"})


def deprecation_notice(operation: str, headers: Mapping[str, str], wall_s: float, known: str = "") -> str:
    """What to tell a caller; empty where the answer announces nothing. `wall_s` is in seconds since 1970.

    `known` has been said before: it is not said again where the answer names no other end.

    >>> headers = {"deprecation": "@1688169599", "sunset": "Sun, 30 Jun 2024 23:59:59 GMT"}
    >>> deprecation_notice("documents.get", headers, 1_700_000_000)
    'documents.get is deprecated since 2023-06-30 and ends on 2024-06-30'
    """
    deprecation, sunset = headers.get("deprecation", ""), headers.get("sunset", "")
    if not deprecation and not sunset:
        return ""
    since_s, ends_s = _since_s(deprecation), date_s(sunset) if sunset else None
    if known and (ends_s is None or _day(ends_s) in known):
        return ""
    said: list[str] = []
    if since_s:  # with 0 a server says that it knows no date
        said.append(f"is deprecated {'since' if since_s <= wall_s else 'from'} {_day(since_s)}")
    elif deprecation:
        said.append("is deprecated")
    if ends_s is not None:
        said.append(f"{'ends' if ends_s > wall_s else 'ended'} on {_day(ends_s)}")
    if not said:
        return ""
    link = _link(headers.get("link", ""))
    return f"{operation} {' and '.join(said)}{f'; see {link}' if link else ''}"


def _since_s(text: str) -> float | None:
    """`@` and seconds (RFC 9651, section 3.3.7); a date in the drafts before."""
    seconds = text.strip().removeprefix("@")
    if seconds != text.strip() and seconds.isascii() and seconds.isdigit():
        return float(seconds)
    return date_s(text) if text else None


def _day(at_s: float) -> str:
    """Raises nothing: a time that no calendar has is left as it is."""
    try:
        return datetime.fromtimestamp(at_s, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return f"@{at_s:.0f}"


def _link(text: str) -> str:
    """The first link that speaks of the end; empty where there is none."""
    for url, parameters in _LINK.findall(text):
        relations = _REL.search(parameters)
        if relations and not _SPEAKS_OF_IT.isdisjoint(relations[1].lower().split()):
            return str(url)
    return ""
