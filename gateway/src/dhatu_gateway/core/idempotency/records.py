"""What is known of an idempotency key, and how it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import orjson

from dhatu_gateway.core.exchange import Header
from dhatu_gateway.core.headers import headers_read, headers_written

MAX_BODY_BYTES = 262_144
"""A larger answer is not kept; that its request was answered is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The first answer to a key."""

    fingerprint: str
    """Of the request that it answers."""
    status: int
    headers: tuple[Header, ...]
    """Those of the service; the gateway's own are written anew with each answer."""
    body: bytes | None
    """None for an answer that was too large to be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Nobody has used the key: whoever is told so runs the request and then says what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Somebody else runs the request now."""


Found: TypeAlias = Started | Running | KeptAnswer


def encode_answer(answer: KeptAnswer) -> bytes:
    """A line of JSON, then the body as it is."""
    line = orjson.dumps(
        {
            "fingerprint": answer.fingerprint,
            "status": answer.status,
            "headers": headers_written(answer.headers),
            "kept": answer.body is not None,
        }
    )
    return line + b"\n" + (answer.body or b"")


def decode_answer(data: bytes) -> KeptAnswer:
    r"""Read what `encode_answer` has written.

    >>> answer = KeptAnswer(fingerprint="f", status=201, headers=((b"etag", b'"1"'),), body=b"a\nb")
    >>> decode_answer(encode_answer(answer)) == answer
    True
    """
    line, _, body = data.partition(b"\n")
    known = cast(dict[str, Any], orjson.loads(line))
    return KeptAnswer(
        fingerprint=known["fingerprint"],
        status=known["status"],
        headers=headers_read(known["headers"]),
        body=body if known["kept"] else None,
    )
