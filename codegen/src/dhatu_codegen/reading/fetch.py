"""The text behind an http(s) address: with a limit of time and of size, and no redirect out of bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_S: Final = 30.0
"""For the whole of one document."""
MAX_BYTES: Final = 64 * 1024 * 1024
"""Several times the largest public document."""
_CHUNK_BYTES: Final = 1 << 16
_ACCEPT: Final = "application/openapi+json, application/openapi+yaml, application/json, application/yaml, */*"


class FetchError(Exception):
    """A document that cannot be had; the message says why."""


def fetch(url: str, allowed: Callable[[str], bool], *, max_bytes: int = MAX_BYTES) -> bytes:
    """What a GET answers; redirects are followed to addresses that are allowed. Raises `FetchError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError("only http and https addresses are read")
    if parts.username is not None:
        raise FetchError("an address with a name or password in it is not read")
    opener = build_opener(_Redirects(allowed))
    until_s = time.monotonic() + TIMEOUT_S
    read = bytearray()
    try:
        with opener.open(Request(url, headers={"Accept": _ACCEPT}), timeout=TIMEOUT_S) as answer:
            while chunk := answer.read1(_CHUNK_BYTES):
                read += chunk
                if len(read) > max_bytes:
                    raise FetchError(f"the document is larger than {max_bytes} bytes")
                if time.monotonic() > until_s:
                    raise FetchError(f"the document took longer than {TIMEOUT_S:g} s")
    except HTTPError as error:
        error.close()
        raise FetchError(f"the server answered {error.code} {error.reason}") from error
    except URLError as error:
        raise FetchError(str(error.reason)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise FetchError(str(error) or type(error).__name__) from error
    return bytes(read)


class _Redirects(HTTPRedirectHandler):
    """Follows redirects inside the bounds that hold for references."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not self._allowed(newurl):
            raise FetchError(f"the server redirects to {newurl}, which is not allowed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
