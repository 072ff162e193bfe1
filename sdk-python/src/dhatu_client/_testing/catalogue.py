"""Every operation by its name in Python, and which one a request is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .._call import Operation
from .._commands import CommandEntry, ProgramEntry

_VARIABLE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One operation, and what the table of commands says of it."""

    path: str
    """As it is called: `corpus.search`."""
    operation: Operation[Any, Any]
    entry: CommandEntry
    pattern: re.Pattern[str]
    """Of the end of an encoded path; a group for each variable, in the order of the template."""

    @property
    def variables(self) -> list[str]:
        """Names of the variables of the path, in the order of the pattern's groups."""
        return _VARIABLE.findall(_split(self.operation.path)[0])


class Catalogue:
    """The operations of one API."""

    def __init__(self, program: ProgramEntry, operations: object) -> None:
        groups = [("", program.commands), *((group.name, group.commands) for group in program.groups)]
        self._known = {
            path: _known(path, entry, getattr(operations, entry.operation))
            for group, entries in groups
            for entry in entries
            for path in (f"{group}.{entry.name}" if group else entry.name,)
        }
        self.groups = frozenset(group.name for group in program.groups)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def find(self, wanted: str | Operation[Any, Any] | Callable[..., object]) -> Known:
        """The operation of a name, a descriptor or a method. Raises `LookupError`."""
        if isinstance(wanted, Operation):
            found = next((known for known in self._known.values() if known.operation is wanted), None)
        else:
            found = self._known.get(wanted if isinstance(wanted, str) else _path_of(wanted))
        if found is None:
            raise LookupError(f"{wanted!r} is not an operation of this API; there are {', '.join(self)}")
        return found

    def asked(self, method: str, url: str) -> Known | None:
        """The operation that a request is for: of several, the one whose path has the fewest variables."""
        parts = urlsplit(url)
        pairs = set(parse_qsl(parts.query, keep_blank_values=True))
        fitting = [
            known
            for known in self._known.values()
            if known.operation.method == method
            and known.pattern.search(parts.path)
            and pairs.issuperset(_split(known.operation.path)[1])
        ]
        return max(fitting, key=_literal_length, default=None)


def _known(path: str, entry: CommandEntry, operation: Operation[Any, Any]) -> Known:
    template, _ = _split(operation.path)
    pieces = _VARIABLE.split(template)
    # Every second piece is the name of a variable.
    source = "".join("([^/]+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
    return Known(path=path, operation=operation, entry=entry, pattern=re.compile(f"{source}$"))


def _split(template: str) -> tuple[str, list[tuple[str, str]]]:
    """Path and query of a template: some APIs tell operations apart by a query in the path itself."""
    path, _, query = template.partition("?")
    return path, parse_qsl(query, keep_blank_values=True)


def _literal_length(known: Known) -> int:
    return len(_VARIABLE.sub("", known.operation.path))


def _path_of(method: Callable[..., object]) -> str:
    """`corpus.search` of `client.corpus.search`, whichever client it is of."""
    module = getattr(method, "__module__", "") or ""
    name = getattr(method, "__name__", repr(method))
    head, _, last = module.rpartition(".")
    return f"{last}.{name}" if head.endswith(".resources") else name
