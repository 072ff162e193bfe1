"""Reads variables of the environment, and says what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TypeVar, cast
from urllib.parse import urlsplit

from dhatu_gateway.core.upstream.discovery import InvalidEndpoint

T = TypeVar("T")

_OWN = ("GATEWAY_", "JWT_")
_OF_KUBERNETES = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_[0-9]+_(TCP|UDP)")
"""Set in each pod for every Service; one may be called gateway."""
_SECRET = re.compile("SECRET|PASSWORD|TOKEN$")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """The environment has bad values; the message names every variable and what it should be."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        count = "1 variable is" if len(problems) == 1 else f"{len(problems)} variables are"
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"The gateway cannot start, {count} wrong:{lines}")
        self.problems = problems


class Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []
        self.asked: dict[str, str] = {}
        """Every variable that was looked for, and what counts where it is not set."""

    def value(self, variable: str, default: str, parse: Callable[[str], T]) -> T:
        """Parse a variable; one that is set but empty counts as not set, as is usual in compose files."""
        self.asked[variable] = default
        text = self._environment.get(variable, "").strip()
        try:
            return parse(text or default)
        except (ValueError, InvalidEndpoint) as error:
            self.problems.append(f"{variable}: {error}")
        # A stand-in, so that the rest can be read too; `read_settings` raises before anybody uses it.
        try:
            return parse(default)
        except ValueError:
            return cast(T, None)

    def is_set(self, variable: str) -> bool:
        """True where a variable says something."""
        self.asked.setdefault(variable, "")
        return bool(self._environment.get(variable, "").strip())

    def said(self) -> Iterator[str]:
        """What is set, for people; nothing of secrets."""
        for variable in sorted(self.asked):
            text = self._environment.get(variable, "").strip()
            if text:
                yield f"{variable}={'***' if _SECRET.search(variable) or '@' in text else text}"

    def unread(self, others: Collection[str]) -> Iterator[str]:
        """What looks like a variable of the gateway and means nothing to it; `others` are read elsewhere."""
        known = {*self.asked, *others}
        for variable in sorted(self._environment.keys() - known):
            if variable.startswith(_OWN) and not _OF_KUBERNETES.search(variable):
                close = get_close_matches(variable, known, n=1, cutoff=0.8)
                meant = f"; is {close[0]} meant?" if close else ""
                yield f"{variable} is set, and nothing reads it{meant}"


def boolean(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(f"must be 1 or 0, not {text!r}")
    return text.lower() in _TRUE


def between(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def redis_url(text: str) -> str:
    return _url(text, ("redis", "rediss", "unix"), "redis://127.0.0.1:6379")


def http_url(text: str) -> str:
    return _url(text, ("http", "https"), "http://127.0.0.1:4318")


def _url(text: str, schemes: tuple[str, ...], example: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"must be a URL such as {example}: {error}") from error
    if parts.scheme not in schemes or not (parts.netloc or parts.path) or not port_is_valid:
        # Not repeated: it may hold a password.
        raise ValueError(f"must be a URL such as {example}")
    return text


def part_of(text: str) -> float:
    """A part of a whole.

    >>> part_of("0.25")
    0.25
    """
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"must be a number above 0 and up to 1, such as 0.25, not {text!r}")
    return share
