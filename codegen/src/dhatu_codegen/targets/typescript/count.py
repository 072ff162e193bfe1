"""The rule of the count: every operation of the API is rendered once, and nothing else is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from ...ir.api import Api
from ..base import TargetError
from .listing import LISTING

_DESCRIPTOR: Final = re.compile(
    r"^export const (\w+): Operation<(?:(?!^export ).)*?> = \{\s+key: '((?:[^'\\]|\\.)*)'",
    re.MULTILINE | re.DOTALL,
)
_FUNCTION: Final = re.compile(r"^  return client\.call\(\s*(\w+),", re.MULTILINE)
_METHOD: Final = re.compile(r"^    return this\.(?:#client\.)?call\(\s*o\.(\w+),", re.MULTILINE)
_ENTRY: Final = re.compile(r"^- `client\.[^`]*` or `\w+`: `([A-Z]+ .*)`(?: \([a-z, ]+\))?$", re.MULTILINE)


class CountError(TargetError):
    """What was rendered is not what the API has."""


def check_count(api: Api, sources: Mapping[str, str]) -> None:
    """Operations = descriptors = functions = methods = entries of api.md, as rendered.

    `sources` maps a file's path in the package to its text. Raises `CountError`, which names what is missing
    and what is too much.
    """
    operations = [text for path, text in sources.items() if path.startswith("operations/")]
    classes = [text for path, text in sources.items() if path.startswith(("resources/", "client.ts"))]
    constants = {name: key for text in operations for name, key in _DESCRIPTOR.findall(text)}
    routes = {f"{operation.method} {operation.path}": operation.key for operation in api.operations}
    wanted = Counter(operation.key for operation in api.operations)
    rendered = {
        "descriptors": Counter(constants.values()),
        "functions": _named(constants, _FUNCTION, operations),
        "methods": _named(constants, _METHOD, classes),
        f"entries of {LISTING}": _named(routes, _ENTRY, [sources[LISTING]]),
    }
    problems = [problem for what, there in rendered.items() for problem in _problems(what, wanted, there)]
    if problems:
        raise CountError(
            f"the JavaScript SDK must hold each of {wanted.total()} operations once: {'; '.join(problems)}"
        )


def _named(keys: Mapping[str, str], pattern: re.Pattern[str], texts: list[str]) -> Counter[str]:
    return Counter(keys.get(name, name) for text in texts for name in pattern.findall(text))


def _problems(what: str, wanted: Counter[str], there: Counter[str]) -> Iterator[str]:
    missing, surplus = wanted - there, there - wanted
    if missing:
        yield f"{what} missing: {', '.join(sorted(missing.elements()))}"
    if surplus:
        yield f"{what} too many: {', '.join(sorted(surplus.elements()))}"
