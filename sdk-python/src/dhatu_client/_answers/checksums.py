"""Checksums of downloads: what is promised by headers or the caller, and what arrived."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from .._errors import ArgumentError

# RFC 9530, section 5: the others of its registry are broken or too weak to say anything.
_DIGESTS = {"sha-256": "sha256", "sha-512": "sha512"}
# A member of a dictionary (RFC 8941, section 3.2) whose value is a byte sequence.
_MEMBER = re.compile(r"(?:^|,)\s*([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/=]*):")


class Promise(NamedTuple):
    """What a digest should be."""

    algorithm: str
    """As `hashlib` calls it."""
    digest: bytes
    source: str
    """Who says so."""


def promised_by_caller(checksum: str) -> tuple[Promise, ...]:
    """Of `sha256:<hex>`, in any algorithm of `hashlib` with a fixed size; none of an empty text.

    Raises `ArgumentError`.
    """
    if not checksum:
        return ()
    algorithm, _, digits = checksum.partition(":")
    name = algorithm.strip().lower().replace("sha-", "sha")
    try:
        digest = bytes.fromhex(digits)
        if name in hashlib.algorithms_guaranteed and len(digest) == hashlib.new(name).digest_size > 0:
            return (Promise(name, digest, "checksum="),)
    except ValueError:
        pass
    raise ArgumentError("checksum= must be an algorithm and a digest in hex, such as sha256:9f86d0...")


def promised_by_headers(status: int, headers: Mapping[str, str]) -> tuple[Promise, ...]:
    """What the headers of an answer say of its content.

    `Content-Digest` (RFC 9530, section 2) and `Content-MD5` (RFC 2616, section 14.15, since dropped, but
    still sent) are of just that; `Repr-Digest` (RFC 9530, section 3) is of the whole representation, which is
    the content of a 200 alone. All are of the bytes as they travel, after Content-Encoding, so that an answer
    with one promises nothing of the bytes that come out of it.
    """
    if headers.get("content-encoding", "identity") != "identity":
        return ()
    names = ("repr-digest", "content-digest") if status == 200 else ("content-digest",)
    promises = [
        Promise(_DIGESTS[algorithm], digest, name)
        for name in names
        for algorithm, text in _MEMBER.findall(headers.get(name, ""))
        if algorithm in _DIGESTS and (digest := _bytes(text)) is not None
    ]
    md5 = _bytes(headers.get("content-md5", ""))
    if md5:
        promises.append(Promise("md5", md5, "content-md5"))
    return tuple(promises)


class Checksums:
    """Digests of what has arrived so far, in the algorithms that something was promised in."""

    def __init__(self, promises: tuple[Promise, ...]) -> None:
        self._promises = promises
        self._hashes = {
            name: hashlib.new(name, usedforsecurity=False) for name in {one.algorithm for one in promises}
        }

    def update(self, data: bytes) -> None:
        for one in self._hashes.values():
            one.update(data)

    def broken(self) -> Promise | None:
        """The first promise that was not kept."""
        for promise in self._promises:
            if self._hashes[promise.algorithm].digest() != promise.digest:
                return promise
        return None


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
