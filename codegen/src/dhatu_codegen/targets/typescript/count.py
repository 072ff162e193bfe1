"""The rule of the count: every operation of the API is rendered once, and nothing else is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from ...ir.api import Api
from ..counting import hold_against
from .listing import LISTING

_DESCRIPTOR: Final = re.compile(
    r"^export const (\w+): Operation<(?:(?!^export ).)*?> = \{\s+key: '((?:[^'\\]|\\.)*)'",
    re.MULTILINE | re.DOTALL,
)
_FUNCTION: Final = re.compile(r"^  return client\.call\(\s*(\w+),", re.MULTILINE)
_METHOD: Final = re.compile(r"^    return this\.(?:#client\.)?call\(\s*o\.(\w+),", re.MULTILINE)
_ENTRY: Final = re.compile(r"^- `client\.[^`]*` or `\w+`: `([A-Z]+ .*)`(?: \([a-z, ]+\))?$", re.MULTILINE)


def check_count(api: Api, sources: Mapping[str, str]) -> None:
    """Operations = descriptors = functions = methods = entries of api.md, as rendered.

    `sources` maps a file's path in the package to its text. Raises `CountError`.
    """
    operations = [text for path, text in sources.items() if path.startswith("operations/")]
    classes = [text for path, text in sources.items() if path.startswith(("resources/", "client.ts"))]
    constants = {name: key for text in operations for name, key in _DESCRIPTOR.findall(text)}
    routes = {f"{operation.method} {operation.path}": operation.key for operation in api.operations}
    rendered = {
        "descriptors": Counter(constants.values()),
        "functions": _named(constants, _FUNCTION, operations),
        "methods": _named(constants, _METHOD, classes),
        f"entries of {LISTING}": _named(routes, _ENTRY, [sources[LISTING]]),
    }
    hold_against(api, "JavaScript SDK", rendered)


def _named(keys: Mapping[str, str], pattern: re.Pattern[str], texts: list[str]) -> Counter[str]:
    return Counter(keys.get(name, name) for text in texts for name in pattern.findall(text))
