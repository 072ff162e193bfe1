"""API versions: in the path, or in a header of requests to the unversioned path; how old ones are announced.

`Deprecation` is RFC 9745, `Sunset` RFC 8594.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from dhatu_gateway.core.exchange import Exchange, Header, Stage
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Platform, Route, Version

VERSION_FIELD = b"api-version"


class VersionResolver:
    """Finds the versioned paths that an unversioned one may mean."""

    def __init__(self, versions: tuple[Version, ...], routes: Iterable[Route]) -> None:
        newest_first = sorted(versions, key=lambda version: _age(version.name), reverse=True)
        self._names = tuple(version.name for version in versions)
        # A deprecated version is meant where no other has the path.
        self._preferred = tuple(
            version.name
            for state in ("current", "deprecated")
            for version in newest_first
            if version.state == state
        )
        self._prefixes = tuple(
            sorted({_prefix(route) for route in routes if route.version}, key=len, reverse=True)
        )

    def resolve(self, path: str, field: bytes | None) -> tuple[str, ...]:
        """Return the versioned forms of a canonical path that matched nothing, the first to be tried first.

        `field` is the value of `API-Version`; without it the newest version that has the path is meant.
        Raises `ProblemError` for a version that does not exist.
        """
        for prefix in self._prefixes:
            rest = path[len(prefix) :]
            if path.startswith(prefix) and rest.partition("/")[0] not in self._names:
                return tuple(f"{prefix}{name}/{rest}" for name in self._meant(field))
        return ()

    def _meant(self, field: bytes | None) -> tuple[str, ...]:
        if not field:
            return self._preferred
        name = field.decode("latin-1").strip()
        for meant in (name, f"v{name}"):  # 2 is v2
            if meant in self._names:
                return (meant,)
        known = ", ".join(self._names)
        raise ProblemError("unsupported-version", f"API-Version names no version that exists: {known}.")


def _age(version: str) -> tuple[int, str]:
    """What versions are ordered by.

    >>> sorted(["v10", "v2", "v2beta"], key=_age)
    ['v2', 'v2beta', 'v10']
    """
    digits = re.match(r"v([0-9]+)", version)
    return (int(digits[1]) if digits else 0, version)


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


class Lifecycles:
    """Marks the answers of what is deprecated, and says what has taken its place."""

    def __init__(self, platform: Platform, routes: Iterable[Route]) -> None:
        self._platform = platform
        self._successors = _successors(routes)

    def successor(self, route: Route) -> str | None:
        """The version that has taken the place of a route's own."""
        return self._successors.get((route.method, route.path))

    def build(self, route: Route) -> Stage | None:
        """Mark the answers of a deprecated operation; None for the others."""
        headers = lifecycle_headers(route, self._platform)
        if not headers:
            return None
        successor = self._successors.get((route.method, route.path))
        if successor is None:

            def mark(exchange: Exchange) -> None:
                exchange.response_headers += headers

            return mark
        old, new = f"/{route.version}/", f"/{successor}/"
        fixed = tuple(header for header in headers if header[0] != b"link")
        links = b"".join(value + b", " for name, value in headers if name == b"link")

        def mark_and_link(exchange: Exchange) -> None:
            # RFC 5829: the same resource, in the version that has taken this one's place.
            target = exchange.path.replace(old, new, 1).encode("ascii")
            link = b'%b<%b>; rel="successor-version"' % (links, target)
            exchange.response_headers += (*fixed, (b"link", link))

        return mark_and_link


def _successors(routes: Iterable[Route]) -> Mapping[tuple[str, str], str]:
    """For each method and path, the newest version of the same that is not deprecated, if it is another."""
    known = [(route, route.path.replace(f"/{route.version}/", "/", 1)) for route in routes if route.version]
    newest: dict[tuple[str, str], str] = {}
    for route, bare in sorted(known, key=lambda pair: _age(pair[0].version)):
        if not route.deprecated:
            newest[route.method, bare] = route.version
    return {
        (route.method, route.path): newest[route.method, bare]
        for route, bare in known
        if newest.get((route.method, bare), route.version) != route.version
    }
