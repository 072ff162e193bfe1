"""The table of routes: what the gateway was built with, or a file that `dhatu-codegen table` has written.

Such a file has one JSON value on each line: the platform on the first, then every route with the part of the
document that its schemas are in. So a route that has not changed is known by its line, and a large table is
read in small steps.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from dhatu_gateway.core.discovery.overrides import Overrides
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.validation.schemas import Schemas

FORMAT = 1
MAX_PROBLEMS = 20
"""How many bad lines are named."""


class TableError(ValueError):
    """A table cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the gateway serves: the generated tables, a file's, or a test's own."""

    platform: Platform
    routes: tuple[Route, ...]
    document: dict[str, Any]
    """The merged OpenAPI document; empty where every route has its own part of it."""
    parts: Mapping[str, Part] = field(default_factory=dict[str, "Part"])
    """By operation."""
    digest: str = "built-in"
    """Tells one file from another."""
    overrides: Mapping[str, Overrides] = field(default_factory=dict[str, Overrides])
    """Those that this table has in it, by service."""
    plain: Table | None = None
    """The one without them; None where this is it."""

    def key(self, route: Route) -> object:
        """Equal for two routes that say the same, their schemas included."""
        part = self.parts.get(route.operation)
        return (route, id(self.document) if part is None else part.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a file says about one route."""

    route: Route
    digest: bytes
    """Of its line."""
    packed: bytes
    """As much of the merged document as the route points to, compressed: thousands are kept, few are read."""

    def document(self) -> bytes:
        """The document's part, as JSON."""
        return zlib.decompress(self.packed)


class SchemasOf:
    """The schemas of a table's routes: one document for all of them, or one for each."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._last: tuple[Part, Schemas] | None = None

    @cached_property
    def _shared(self) -> Schemas:
        return Schemas(self._table.document)

    def __call__(self, route: Route) -> Schemas:
        part = self._table.parts.get(route.operation)
        if part is None:
            return self._shared
        if self._last is None or self._last[0] is not part:
            self._last = part, Schemas(orjson.loads(part.document()), source=part.document)
        return self._last[1]


@cache
def generated_table() -> Table:
    """Return the table that the specification says."""
    from dhatu_gateway.generated.routes import PLATFORM, ROUTES

    document = orjson.loads(files("dhatu_gateway.generated").joinpath("openapi.json").read_bytes())
    return Table(platform=PLATFORM, routes=ROUTES, document=document)


def differences(before: Table, after: Table) -> Iterator[str]:
    """What a table changes: `+` and `-` before operations that come and go, `~` before those that differ.

    Raises `TableError` where one is not from a file: that keeps the schemas of all its routes together.
    """
    old, new = before.parts, after.parts
    if not old or not new:
        raise TableError("only tables from files can be compared; GATEWAY_TABLE names none")
    if before.platform != after.platform:
        yield "~ the platform: services, versions, roles, cross-origin rules or headers"
    for operation in sorted(old.keys() | new.keys()):
        if operation not in new:
            yield f"- {operation}"
        elif operation not in old:
            yield f"+ {operation}"
        elif old[operation].digest != new[operation].digest:
            yield f"~ {operation}"


_STRICT = ConfigDict(extra="forbid", strict=True)
"""What is written must be known, and of its type: also in what these consist of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    __pydantic_config__ = _STRICT
    format: int
    platform: Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    __pydantic_config__ = _STRICT
    route: Route
    document: dict[str, Any]


_FIRST = TypeAdapter(_First)
_LINE = TypeAdapter(_Line)


def read_platform(path: Path) -> Platform:
    """Read the first line of a file; raises `TableError`."""
    try:
        with path.open("rb") as file:
            return _platform(file.readline(), str(path))
    except OSError as error:
        raise _cannot_read(path, error) from error


def read_table(path: Path, copy: Path | None = None) -> Table:
    """Read a file, or a copy of it, while nobody waits; raises `TableError` that names every bad line."""
    reading = TableReading(path, copy)
    for _ in reading.steps():
        pass
    return reading.table()


class TableReading:
    """Reads a file step by step, or a copy of it; what has not changed since `before` is taken over."""

    def __init__(self, path: Path, copy: Path | None = None, before: Table | None = None) -> None:
        self._path = path
        self._read_at = copy or path
        self._before = {part.digest: part for part in before.parts.values()} if before is not None else {}
        self._digest = hashlib.blake2b(digest_size=8)
        self._platform: Platform | None = None
        self._parts: dict[str, Part] = {}
        self._problems: list[str] = []

    def steps(self) -> Iterator[None]:
        """Read a line with each step; raises `TableError` for no file, or a bad first line."""
        try:
            with self._read_at.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    self._digest.update(line)
                    if number == 1:
                        self._platform = _platform(line, str(self._path))
                    else:
                        self._read(number, line)
                    yield
        except OSError as error:
            raise _cannot_read(self._path, error) from error

    def table(self) -> Table:
        """What has been read; raises `TableError`."""
        if self._problems:
            shown = self._problems[:MAX_PROBLEMS]
            more = len(self._problems) - len(shown)
            raise TableError("\n".join([*shown, f"and {more} more"] if more else shown))
        if self._platform is None or not self._parts:
            raise TableError(f"{self._path}: has no routes")
        return Table(
            platform=self._platform,
            routes=tuple(part.route for part in self._parts.values()),
            document={},
            parts=self._parts,
            digest=self._digest.hexdigest(),
        )

    def _read(self, number: int, line: bytes) -> None:
        digest = hashlib.blake2b(line, digest_size=16).digest()
        part = self._before.get(digest)
        try:
            if part is None:
                read = _LINE.validate_json(line)
                packed = zlib.compress(orjson.dumps(read.document), level=1)
                part = Part(route=read.route, digest=digest, packed=packed)
        except ValidationError as error:
            self._problems.append(f"{self._path}:{number}: {_why(error)}")
            return
        if part.route.operation in self._parts:
            self._problems.append(f"{self._path}:{number}: {part.route.operation} is there twice")
        self._parts[part.route.operation] = part


def _cannot_read(path: Path, error: OSError) -> TableError:
    return TableError(f"cannot read {path}: {error.strerror or error}")


def _platform(line: bytes, where: str) -> Platform:
    try:
        first = _FIRST.validate_json(line)
    except ValidationError as error:
        raise TableError(
            f"{where}:1: {_why(error)}; write it with the `dhatu-codegen table` of this version"
        ) from error
    if first.format != FORMAT:
        raise TableError(f"{where}:1: has the format {first.format}, this gateway reads {FORMAT}")
    return first.platform


def _why(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])
