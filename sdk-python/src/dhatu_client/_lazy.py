"""What is imported when it is first used, and how a loop goes on meanwhile."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")

PACKAGE: Final = __package__ or ""
"""Name of the package, from which its modules in rooms of their own start as well."""


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


ANYIO_ON_ASYNCIO: Final = "anyio._backends._asyncio"
"""What anyio imports by itself when it is first used under asyncio."""


def running_loop() -> AbstractEventLoop | None:
    """The loop of asyncio that runs here; None under another library, or none."""
    asyncio: Any = sys.modules.get("asyncio")
    loop: AbstractEventLoop | None = asyncio._get_running_loop() if asyncio is not None else None
    return loop


async def off_loop(work: Callable[[], T]) -> T:
    """What `work` returns, while the event loop goes on.

    By anyio where it is loaded or asyncio is not what runs, else by asyncio: to load anyio would itself hold
    up the loop.
    """
    loop = running_loop()
    if loop is None or ANYIO_ON_ASYNCIO in sys.modules:
        from anyio import to_thread

        return await to_thread.run_sync(work)
    return await loop.run_in_executor(None, work)
