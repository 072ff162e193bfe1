"""Asks a server for JSON, with bounds on everything: its time, its size, and where it may lead."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from dhatu_gateway.core.discovery.source import DiscoveryError

if TYPE_CHECKING:
    import httpx  # some 5 MB, which only those pay that have such a server

CONNECT_S: Final = 3.0
MAX_BYTES: Final = 16 * 1024 * 1024
_SHOWN_CHARACTERS: Final = 120

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonAnswer:
    """An answer with its status, and what its body holds; None where that is empty."""

    status: int
    headers: httpx.Headers
    document: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAccess:
    """Where a server is, and how it knows us."""

    name: str
    """What messages call it."""
    url: str
    """Without a slash in the end."""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    """Read again for every request, for tokens that are renewed."""
    token_header: str = "authorization"
    token_prefix: str = "Bearer "

    def context(self) -> ssl.SSLContext:
        """Raises `ValueError` that names the file that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file, password="")
        except OSError as error:
            files = ", ".join(
                str(file) for file in (self.ca_file, self.certificate_file, self.key_file) if file
            )
            raise ValueError(f"{self.name}: {files} cannot be used: {error}") from error
        return context


class JsonClient:
    """Asks one server; follows nothing, keeps no cookies, and uses no proxy of the environment."""

    def __init__(self, access: ServerAccess) -> None:
        """Raises `ValueError` that names a file that cannot be used."""
        import httpx

        self._access = access
        self._client = httpx.AsyncClient(
            base_url=access.url,
            verify=access.context() if access.url.startswith("https") else True,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
        )

    @property
    def name(self) -> str:
        return self._access.name

    async def ask(
        self,
        path: str,
        query: Query,
        *,
        timeout_s: float,
        method: str = "GET",
        body: object = None,
    ) -> JsonAnswer:
        """Send one request; raises `DiscoveryError` where there is no answer, or one that is not JSON.

        The whole answer has to come within `timeout_s`.
        """
        content = orjson.dumps(body) if body is not None else b""
        text = bytearray()
        try:
            async with (
                asyncio.timeout(timeout_s),
                self.stream(path, query, timeout_s=timeout_s, method=method, content=content) as response,
            ):
                async for chunk in response.aiter_bytes():
                    text += chunk
                    if len(text) > MAX_BYTES:
                        raise DiscoveryError(f"{self.name} answered more than {MAX_BYTES} bytes")
        except TimeoutError as error:
            raise DiscoveryError(f"{self.name} did not answer within {timeout_s:.0f} s") from error
        if response.status_code >= 400:
            said = text.decode("utf-8", "replace").strip()[:_SHOWN_CHARACTERS]
            document: Any = "".join(character if character.isprintable() else " " for character in said)
        else:
            document = read_json(bytes(text), self.name) if text else None
        return JsonAnswer(status=response.status_code, headers=response.headers, document=document)

    @asynccontextmanager
    async def stream(
        self, path: str, query: Query, *, timeout_s: float, method: str = "GET", content: bytes = b""
    ) -> AsyncGenerator[httpx.Response]:
        """Send one request, and leave reading the answer to the caller; `timeout_s` is for each wait."""
        import httpx

        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
        headers = self._credentials()
        if content:
            headers["content-type"] = "application/json"
        try:
            async with self._client.stream(
                method, path, params=dict(query), headers=headers, content=content, timeout=timeout
            ) as response:
                yield response
        except httpx.TimeoutException as error:
            raise DiscoveryError(f"{self.name} did not answer within {timeout_s:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = str(error) or type(error).__name__
            raise DiscoveryError(f"{self.name} cannot be reached: {reason}") from error

    async def close(self) -> None:
        await self._client.aclose()

    def _credentials(self) -> dict[str, str]:
        access = self._access
        token = access.token
        if access.token_file is not None:
            try:
                token = access.token_file.read_text(encoding="ascii").strip()
            except (OSError, ValueError) as error:
                raise DiscoveryError(f"the token for {self.name} cannot be read: {error}") from error
        return {access.token_header: access.token_prefix + token} if token else {}


def read_json(text: bytes, name: str) -> Any:
    """Raises `DiscoveryError`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise DiscoveryError(f"{name} answered something that is not JSON: {error}") from error
