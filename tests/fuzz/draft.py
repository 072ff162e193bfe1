"""A request in parts that can be changed one by one, and its bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, TypeAlias

Ending: TypeAlias = Literal["wait", "half-close", "close", "reset"]

_SHAKEN = 4
_ODD = (b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"0", b"/", b"%", b";", b",", b"\r\n\r\n")


@dataclass(slots=True)
class Draft:
    """What is written; changed by one mutation after the other."""

    method: bytes
    path: bytes
    query: bytes
    body: bytes
    fields: list[tuple[bytes, bytes]]
    version: bytes = b"HTTP/1.1"
    colon: bytes = b": "
    line_end: bytes = b"\r\n"
    cuts: tuple[int, ...] | None = None
    """Where the body is cut into chunks; None where its length is told instead."""
    extension: bytes = b""
    """Of every chunk."""
    trailers: bytes = b""
    framing: list[tuple[bytes, bytes]] | None = field(default=None)
    """Instead of the fields that tell the truth about the body."""

    def to_bytes(self) -> bytes:
        target = self.path + (b"?" + self.query if self.query else b"")
        lines = [b"%b %b %b" % (self.method, target, self.version)]
        lines += [name + self.colon + value for name, value in [*self.fields, *self._framing()]]
        return self.line_end.join([*lines, b"", b""]) + self._content()

    def _framing(self) -> list[tuple[bytes, bytes]]:
        if self.framing is not None:
            return self.framing
        if self.cuts is not None:
            return [(b"Transfer-Encoding", b"chunked")]
        return [(b"Content-Length", b"%d" % len(self.body))] if self.body else []

    def _content(self) -> bytes:
        if self.cuts is None:
            return self.body
        size = len(self.body)
        places = sorted({0, size, *(cut % (size + 1) for cut in self.cuts)})
        parts = [self.body[start:end] for start, end in itertools.pairwise(places)]
        chunks = [b"%x%b\r\n%b\r\n" % (len(part), self.extension, part) for part in parts if part]
        return b"".join([*chunks, b"0\r\n", self.trailers, b"\r\n"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The bytes of one connection, in the pieces in which they are written, and how it ends."""

    pieces: tuple[bytes, ...]
    requests: int
    """How many they are, more or less well-formed."""
    ending: Ending
    """After the last piece: `wait` for the answers, or do not."""

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def variants(self, seed: int) -> Iterator[Attempt]:
        """Itself, the same cut elsewhere, and some with a few bytes changed: cheaper than new ones."""
        random = Random(seed)
        yield self
        yield replace(
            self, pieces=cut(self.data, [random.randrange(2_048) for _ in range(random.randrange(8))])
        )
        for _ in range(_SHAKEN):
            yield replace(self, pieces=cut(_shaken(self.data, random), [random.randrange(2_048)]))


def cut(data: bytes, places: Sequence[int]) -> tuple[bytes, ...]:
    """Cut data into pieces at these places, modulo its length."""
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return tuple(data[start:end] for start, end in itertools.pairwise(ends))


def _shaken(data: bytes, random: Random) -> bytes:
    """Leave out, double or replace a few bytes, mostly of the head."""
    for _ in range(random.randrange(1, 4)):
        head = data.find(b"\r\n\r\n") + 6
        at = random.randrange(min(len(data), head if random.random() < 0.7 else len(data)) + 1)
        upto = at + random.randrange(3)
        other = random.choice(
            (b"", data[at:upto] * 2, random.randbytes(1), random.choice(_ODD), data[:at][-9:])
        )
        data = data[:at] + other + data[upto:]
    return data
