"""Services that are taken out of use for a while, by a file: every process that can read it knows.

The file is looked at once a second; where it is gone, maintenance is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from dhatu_gateway.core.problem import ProblemError

LOOK_EVERY_S = 1.0
MESSAGE = "The service is under maintenance; try again later."
RETRY_AFTER_S = 60
MEMBERS = frozenset({"services", "message", "retry_after_s"})

_logger = logging.getLogger("dhatu.maintenance")


class MaintenanceFileError(ValueError):
    """The file does not say what it should; the message tells what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is out of use now."""

    services: frozenset[str] | None = None
    """None for all but the gateway's own operations."""
    message: str = MESSAGE
    retry_after_s: int = RETRY_AFTER_S

    def check(self, service: str) -> None:
        """Raise `ProblemError` for a call of a service that is out of use."""
        if service not in self.services if self.services is not None else service == "system":
            return
        raise ProblemError(
            "maintenance", self.message, headers=[(b"retry-after", b"%d" % self.retry_after_s)]
        )


def read_window(text: bytes, services: frozenset[str]) -> Window:
    """Read what the file says; an empty one is about all services.

    >>> read_window(b'{"services": ["corpus"], "retry_after_s": 600}', frozenset({"corpus"})).retry_after_s
    600

    Raises `MaintenanceFileError`.
    """
    if not text.strip():
        return Window()
    try:
        document: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MaintenanceFileError(f"it is no JSON: {error}") from error
    if not isinstance(document, dict) or not MEMBERS.issuperset(cast(dict[str, Any], document)):
        raise MaintenanceFileError(f"it must be an object of {', '.join(sorted(MEMBERS))} and nothing else")
    said = cast(dict[str, Any], document)
    named, message = said.get("services"), said.get("message", MESSAGE)
    retry_after_s = said.get("retry_after_s", RETRY_AFTER_S)
    if named is not None and (
        not isinstance(named, list) or not services.issuperset(map(str, cast(list[object], named)))
    ):
        raise MaintenanceFileError(f"`services` must list some of {', '.join(sorted(services))}")
    if not isinstance(message, str) or not message:
        raise MaintenanceFileError("`message` must be a text for the callers")
    if type(retry_after_s) is not int or not 0 <= retry_after_s <= 604_800:
        raise MaintenanceFileError("`retry_after_s` must be a whole number of seconds up to a week")
    return Window(
        services=frozenset(cast(list[str], named)) if named is not None else None,
        message=message,
        retry_after_s=retry_after_s,
    )


class Maintenance:
    """Follows the file."""

    def __init__(
        self,
        file: Path,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.window: Window | None = None
        """What is out of use now; None for nothing."""
        self._file = file
        self._services = frozenset[str]()
        self._sleep = sleep
        self._seen: bytes | None = None

    def know(self, services: Iterable[str]) -> None:
        """These are served now, and may be named; reads the file, which may have named one of them before."""
        self._services = frozenset(services)
        self.look(again=True)

    def look(self, *, again: bool = False) -> None:
        """Read the file; one that says nothing sensible changes nothing. `again`: even if it is the same."""
        try:
            text: bytes | None = self._file.read_bytes()
        except FileNotFoundError:
            text = None
        except OSError as error:
            _logger.error("%s cannot be read: %s", self._file, error)
            return
        if text == self._seen and (text is None or not again):
            return
        self._seen = text
        try:
            self.window = read_window(text, self._services) if text is not None else None
        except MaintenanceFileError as error:
            _logger.error("%s changes nothing: %s", self._file, error)
            return
        if self.window is None:
            _logger.warning("maintenance is over")
        else:
            _logger.warning("under maintenance: %s", ", ".join(self.window.services or ("all services",)))

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self._sleep(LOOK_EVERY_S)
            self.look()
