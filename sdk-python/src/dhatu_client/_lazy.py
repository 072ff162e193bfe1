"""Names of a package that are imported when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def lazily(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package (PEP 562); `modules` maps each name to its module."""

    def find(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        found: object = getattr(importlib.import_module(f".{modules[name]}", package), name)
        setattr(sys.modules[package], name, found)  # from here on it is an ordinary attribute
        return found

    return find, lambda: sorted(modules)
