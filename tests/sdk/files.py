"""A file server for downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from sdk.support import BROKEN, Pieces, answer, operation

BYTES = operation(responses=(answer("binary", "application/zip"),))
WHOLE = bytes(range(256)) * 4


class Files:
    """A file server as it should be (RFC 9110, section 14), whose connections break after some bytes."""

    def __init__(self, data: bytes = WHOLE, *, breaks: tuple[int, ...] = (), **headers: Any) -> None:
        self.data = data
        self.breaks = list(breaks)
        self.headers: dict[str, str | None] = {"etag": '"v1"', "accept-ranges": "bytes"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        self.requests: list[httpx.Request] = []
        self.ranges: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        wanted = request.headers.get("range")
        self.ranges.append(wanted)
        validators = (self.headers["etag"], self.headers.get("last-modified"))
        start = 0
        if wanted is not None and request.headers["if-range"] in validators:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.data):
                return httpx.Response(416, headers={"content-range": f"bytes */{len(self.data)}"})
        headers = {name: text for name, text in self.headers.items() if text is not None}
        headers |= {"content-type": "application/zip", "content-length": str(len(self.data) - start)}
        if start:
            headers["content-range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        rest = self.data[start:]
        broken = self.breaks.pop(0) if self.breaks else len(rest)
        pieces: list[bytes | Exception] = [
            rest[at : at + 100] for at in range(0, min(broken, len(rest)), 100)
        ]
        if broken < len(rest):
            pieces = [rest[:broken], BROKEN]
        return httpx.Response(206 if start else 200, headers=headers, stream=Pieces(*pieces))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())
