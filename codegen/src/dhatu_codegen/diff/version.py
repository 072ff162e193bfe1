"""The version that the changes ask for (Semantic Versioning 2.0.0)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from ..diagnostics import CODES
from .change import Change

Bump: TypeAlias = Literal["none", "patch", "minor", "major"]

BUMPS: Final[tuple[Bump, ...]] = ("none", "patch", "minor", "major")
_VERSION: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def asked_for(changes: Iterable[Change], *, identical: bool) -> Bump:
    """major where anything breaks, minor where anything else changed, patch where only words did."""
    severities = {CODES[change.code][0] for change in changes}
    if "error" in severities:
        return "major"
    return "minor" if severities else "none" if identical else "patch"


def given(old: str, new: str) -> Bump | None:
    """How much a version grew; None where one of the two is no version.

    >>> given("1.4.2", "2.0.0"), given("1.4.2", "1.4.2")
    ('major', 'none')
    """
    before, after = _numbers(old), _numbers(new)
    if before is None or after is None:
        return None
    if after <= before:
        return "none"
    bumps: tuple[Bump, ...] = ("major", "minor", "patch")
    return next(bump for bump, was, now in zip(bumps, before, after, strict=True) if was != now)


def raised(version: str, bump: Bump) -> str:
    """The next version after a bump; empty where it is no version.

    >>> raised("1.4.2", "minor")
    '1.5.0'
    """
    numbers = _numbers(version)
    if numbers is None:
        return ""
    major, minor, patch = numbers
    match bump:
        case "major":
            return f"{major + 1}.0.0"
        case "minor":
            return f"{major}.{minor + 1}.0"
        case "patch":
            return f"{major}.{minor}.{patch + 1}"
        case "none":
            return version


def _numbers(version: str) -> tuple[int, int, int] | None:
    match = _VERSION.match(version)
    if match is None:
        return None
    major, minor, patch = (int(group or 0) for group in match.groups())
    return major, minor, patch
