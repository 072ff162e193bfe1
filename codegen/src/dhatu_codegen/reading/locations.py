"""Where documents lie: files and http(s) addresses, how one names another, and which may be read.

A location is a path as it was given, with forward slashes, or an absolute URL; never with a fragment.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

_SCHEMES: Final = ("http", "https")


def is_url(location: str) -> bool:
    """Whether a location is an address and not a file.

    >>> is_url("https://a.test/openapi.yaml"), is_url("c:/openapi.yaml"), is_url("file:///etc/passwd")
    (True, False, True)
    """
    return "://" in location


def join(base: str, reference: str) -> str:
    """What a reference without its fragment leads to from the document at `base` (RFC 3986, section 5).

    >>> join("spec/openapi.yaml", "../shared/pet%20types.yaml")
    'shared/pet types.yaml'
    >>> join("https://a.test/spec/openapi.yaml", "pets.yaml")
    'https://a.test/spec/pets.yaml'
    """
    if is_url(reference) or is_url(base):
        return urljoin(base, reference) if is_url(base) else reference
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(reference)))


def stem(location: str) -> str:
    """The last part of a location without its suffix.

    >>> stem("https://a.test/schemas/pet.v1.yaml?raw=1")
    'pet'
    """
    path = urlsplit(location).path if is_url(location) else location
    return posixpath.basename(path).partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """What the documents that belong to one API may be read from.

    A document can name any file or address; reading it would hand what lies there to whoever gets the SDK.
    """

    start: str
    """The document that was asked for: what lies in its folder, or on its host, may be read."""
    roots: tuple[str, ...] = ()
    """Folders and addresses from which more may be read."""

    def holds(self, location: str) -> bool:
        """Whether a location may be read; the start always may."""
        return location == self.start or any(_below(location, root) for root in self._roots())

    def _roots(self) -> tuple[str, ...]:
        if is_url(self.start):
            parts = urlsplit(self.start)
            return (f"{parts.scheme}://{parts.netloc}/", *self.roots)
        return (posixpath.dirname(self.start) or ".", *self.roots)


def _below(location: str, root: str) -> bool:
    if is_url(location) != is_url(root):
        return False
    if not is_url(location):
        return Path(location).resolve().is_relative_to(Path(root).resolve())
    one, other = urlsplit(location), urlsplit(root)
    within = one.path.startswith(other.path.rstrip("/") + "/") or one.path == other.path
    same_host = (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())
    return one.scheme in _SCHEMES and same_host and within and ".." not in one.path.split("/")
