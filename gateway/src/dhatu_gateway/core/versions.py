"""API versions: in the path, or in a header of requests to the unversioned path; how old ones are announced.

`Deprecation` is RFC 9745, `Sunset` RFC 8594.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime

from dhatu_gateway.core.exchange import Exchange, Header, Stage
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Platform, Route, Version

VERSION_FIELD = b"api-version"


class VersionResolver:
    """Finds the versioned path that an unversioned one means."""

    def __init__(self, versions: tuple[Version, ...], routes: Iterable[Route]) -> None:
        self._names = tuple(version.name for version in versions)
        self._current = next((version.name for version in versions if version.state == "current"), "")
        self._prefixes = tuple(
            sorted({_prefix(route) for route in routes if route.version}, key=len, reverse=True)
        )

    def resolve(self, path: str, field: bytes | None) -> str | None:
        """Return the versioned form of a canonical path that matched nothing, or None where there is none.

        `field` is the value of `API-Version`; without it the current version is meant. Raises `ProblemError`
        for a version that does not exist.
        """
        for prefix in self._prefixes:
            if path.startswith(prefix) and path[len(prefix) :].partition("/")[0] not in self._names:
                return f"{prefix}{self._named(field)}/{path[len(prefix) :]}"
        return None

    def _named(self, field: bytes | None) -> str:
        name = field.decode("latin-1").strip() if field else self._current
        if name not in self._names:
            known = ", ".join(self._names)
            raise ProblemError(
                "unsupported-version", f"API-Version names a version that does not exist; there is {known}."
            )
        return name


def _prefix(route: Route) -> str:
    head, found, _ = route.path.partition(f"/{route.version}/")
    if not found:
        raise ValueError(
            f"{route.operation}: its path {route.path!r} does not carry its version {route.version!r}"
        )
    return head + "/"


def lifecycle_headers(route: Route, platform: Platform) -> tuple[Header, ...]:
    """Return what tells the callers of a deprecated operation or version; nothing for the others."""
    version = next((each for each in platform.versions if each.name == route.version), None)
    old = version if version is not None and version.state == "deprecated" else None
    if old is None and not route.deprecated:
        return ()
    # Where no date is known, the epoch: that it is in the past is all that RFC 9745 makes of it.
    since = int(_moment(old.deprecated_at).timestamp()) if old and old.deprecated_at else 0
    headers: list[Header] = [(b"deprecation", f"@{since}".encode())]
    sunset = route.sunset or (old.sunset if old else "")
    if sunset:
        headers.append((b"sunset", format_datetime(_moment(sunset), usegmt=True).encode()))
    if old and old.link:
        headers.append((b"link", f'<{old.link}>; rel="deprecation"'.encode()))
    return tuple(headers)


def _moment(date: str) -> datetime:
    """Read an RFC 3339 date, with or without a time; midnight UTC without."""
    moment = datetime.fromisoformat(date)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def build_lifecycle(route: Route, platform: Platform) -> Stage | None:
    """Mark the answers of a deprecated operation; None for the others."""
    headers = lifecycle_headers(route, platform)
    if not headers:
        return None

    def mark(exchange: Exchange) -> None:
        exchange.response_headers += headers

    return mark
