"""Reads the members of an object in a configuration file, and says where one is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from dhatu_gateway.auth.errors import ProviderFileError

LOOPBACK = re.compile(r"localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")
HOST = re.compile(r"[a-zA-Z0-9._-]+|[0-9a-fA-F:.]+")
"""A name in ASCII or an address: what no two readers of addresses disagree about."""
URL_TEXT = re.compile(r"[!-~]+")
"""RFC 3986: printable ASCII without blanks."""


class Members:
    """One object of the file; each method raises `ProviderFileError` that names the member."""

    def __init__(self, value: object, where: str, known: frozenset[str]) -> None:
        if not isinstance(value, dict):
            raise ProviderFileError(f"{where}: must be an object")
        self._values = cast(Mapping[str, object], value)
        self.where = where
        unknown = sorted(self._values.keys() - known)
        if unknown:
            raise ProviderFileError(
                f"{where}: {', '.join(unknown)} is unknown; there are {', '.join(sorted(known))}"
            )

    def wrong(self, name: str, what: str) -> ProviderFileError:
        """The error that says what a member must be."""
        return ProviderFileError(f"{self.where}: {name} {what}")

    def has(self, name: str) -> bool:
        """Whether the member is there."""
        return name in self._values

    def section(self, name: str, known: frozenset[str]) -> Members | None:
        """An object within; None where it is not there."""
        return Members(self._values[name], f"{self.where}, {name}", known) if name in self._values else None

    def text(self, name: str, default: str | None = None) -> str:
        """Text that is not empty."""
        value = self._values.get(name, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "must be text" if name in self._values else "is missing")
        return value

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, at least one."""
        value = self._values.get(name, list(default) if default is not None else None)
        items = cast(list[object], value) if isinstance(value, list) else []
        texts = tuple(item for item in items if isinstance(item, str) and item)
        if not texts and default == () and name not in self._values:
            return ()
        if not texts or len(texts) < len(items):
            raise self.wrong(
                name, "must be a list of texts, at least one" if name in self._values else "is missing"
            )
        if len(set(texts)) < len(texts):
            raise self.wrong(name, "says one thing twice")
        return texts

    def flag(self, name: str) -> bool:
        """True or false; false where it is not there."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def seconds(self, name: str, default: float, most: float) -> float:
        """A number of seconds from 0 to `most`."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise self.wrong(name, f"must be a number of seconds from 0 to {most:g}")
        return float(value)

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """An object of texts; empty where it is not there."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, "must be an object of texts")
        pairs = cast(dict[str, object], value)
        texts = tuple((key, item) for key, item in pairs.items() if key and isinstance(item, str) and item)
        if len(texts) < len(pairs):
            raise self.wrong(name, "must be an object of texts")
        return texts

    def url(self, name: str, *, query: bool = False) -> str:
        """An address under https; under http only of this machine."""
        value = self.text(name)
        if not is_safe_url(value, query=query):
            extra = "" if query else " and no query"
            raise self.wrong(
                name, f"must be an https:// address (http:// for loopback) with no user{extra}, not {value!r}"
            )
        return value

    def urls(self, name: str) -> tuple[str, ...]:
        """A list of addresses as `url` takes them, at least one."""
        values = self.texts(name)
        wrong = next((value for value in values if not is_safe_url(value, query=True)), None)
        if wrong is not None:
            raise self.wrong(name, f"must be https:// addresses (http:// for loopback), not {wrong!r}")
        return values

    def entries(self, name: str, most: int) -> list[object]:
        """A list with one entry at least."""
        value = self._values.get(name)
        entries = cast(list[object], value) if isinstance(value, list) else []
        if not 1 <= len(entries) <= most:
            raise self.wrong(name, f"must be a list of 1 to {most} entries")
        return entries

    def file(self, name: str, folder: Path) -> Path:
        """A path, which starts at the folder of the file."""
        return folder / self.text(name)

    def secret(self, name: str, folder: Path) -> str:
        """The one line of a file; what it says is never repeated."""
        path = self.file(name, folder)
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise self.wrong(name, f"cannot be read from {self.text(name)}: {reason}") from error
        if not secret or not secret.isprintable():
            raise self.wrong(name, f"must name a file with one line of text; {self.text(name)} is none")
        return secret


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine by its name alone."""
    return host is not None and LOOPBACK.fullmatch(host) is not None


def is_safe_url(text: str, *, query: bool) -> bool:
    """Whether an address is one that a provider may have: https (http for loopback), no user, no fragment.

    >>> is_safe_url("https://a.example/b", query=False), is_safe_url("http://a.example/b", query=False)
    (True, False)
    """
    if URL_TEXT.fullmatch(text) is None or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        host, port_is_valid = parts.hostname, parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        host is not None
        and HOST.fullmatch(host) is not None
        and port_is_valid
        and "@" not in parts.netloc
        and "#" not in text
        and (query or "?" not in text)
        and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
    )
