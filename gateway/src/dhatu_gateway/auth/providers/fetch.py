"""Asks providers over HTTP, in a way that nobody can turn against the networks of the gateway.

Names are looked up here, the addresses are checked, and the connection goes to a checked address: a name that
leads elsewhere at the next look-up (DNS rebinding) is of no use. The certificate is checked against the name.
Nothing is followed, no cookie kept, no proxy of the environment used, and no body unpacked.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

import httpx

from dhatu_gateway.auth.compact import NotStrictError, read_object
from dhatu_gateway.auth.errors import ProviderError
from dhatu_gateway.auth.providers.addresses import Address, Resolve, allowed_addresses, resolve
from dhatu_gateway.auth.providers.members import is_safe_url

MAX_BYTES = 256 * 1024
MAX_TRIED = 3
"""Addresses of one name, one after the other."""
MAX_HOSTS = 8
"""A provider has one, or two; connections to those that discovery no longer names are closed."""
KEEP_ALIVE_S = 30.0
ADDRESSES_S = 30.0
"""How long the addresses of a host are used; a host that cannot be reached is looked up again at once."""
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How long and how large an answer may be."""

    total_s: float = 5.0
    """From the look-up of the name to the last byte."""
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is a JSON object."""

    status: int
    document: dict[str, Any] = field(repr=False)


class Found(NamedTuple):
    """Addresses that have been checked."""

    addresses: tuple[Address, ...]
    until_s: float


@functools.cache
def public_tls() -> ssl.SSLContext:
    """Trusts the public authorities, or those of SSL_CERT_FILE; made once: reading them takes long."""
    return httpx.create_ssl_context()


class Fetcher:
    """Asks the hosts of one provider."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ca_file: Path | None = None,
        limits: FetchLimits | None = None,
        resolve: Resolve = resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `OSError` where `ca_file` holds no certificates."""
        self._allow_private = allow_private
        self._limits = limits or FetchLimits()
        self._resolve = resolve
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file is not None else public_tls()
        self._clock = clock
        self._found: dict[str, Found] = {}
        # One for each host: a connection for one name must not carry requests for another at its address.
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}

    async def get(self, url: str) -> Answer:
        """Ask for a JSON object; raises `ProviderError` where a 200 holds none.

        Any other answer is the caller's to judge, as is the object that it may hold.
        """
        return await self._send("GET", url, {}, None)

    async def get_object(self, url: str) -> dict[str, Any]:
        """Ask for a JSON object; raises `ProviderError` for anything but a 200 that holds one."""
        answer = await self.get(url)
        if answer.status != 200:
            raise ProviderError(f"{url} answered {answer.status}")
        return answer.document

    async def post_form(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a form and read the JSON object that answers it; raises `ProviderError` as `get` does.

        OAuth answers errors as objects too (RFC 6749 section 5.2).
        """
        content = urlencode(form).encode("ascii")
        return await self._send("POST", url, {"Content-Type": FORM_TYPE, **(headers or {})}, content)

    async def close(self) -> None:
        """Close the connections."""
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            await transport.aclose()

    async def _send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        if not is_safe_url(url, query=True):
            raise ProviderError(f"{url!r} is no address that a provider may have")
        try:
            async with asyncio.timeout(self._limits.total_s):
                return await self._try_addresses(httpx.URL(url), method, headers, content)
        except TimeoutError as error:
            raise ProviderError(f"{url} took longer than {self._limits.total_s:g} s") from error
        except (OSError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise ProviderError(f"{url} cannot be asked: {str(error) or type(error).__name__}") from error

    async def _try_addresses(
        self, url: httpx.URL, method: str, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        host = url.raw_host.decode("ascii")
        allowed = await self._addresses(host, url.port or (443 if url.scheme == "https" else 80))
        timeout = httpx.Timeout(None, connect=self._limits.total_s / MAX_TRIED)
        failure: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for address in allowed[:MAX_TRIED]:
            # With the address instead of the name: whoever connects would look it up once more.
            request = httpx.Request(
                method,
                url.copy_with(host=str(address)),
                headers={
                    "Host": url.netloc.decode("ascii"),
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    **headers,
                },
                content=content,
                extensions={"sni_hostname": host, "timeout": timeout.as_dict()},
            )
            try:
                return await self._exchange(url, request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        self._found.pop(host, None)
        raise cast(httpx.ConnectError, failure)

    async def _addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Where a host is, as far as it may be there; found out again after a while."""
        known = self._found.get(host)
        if known is not None and known.until_s > self._clock():
            return known.addresses
        found = await self._resolve(host, port)
        addresses = allowed_addresses(host, found, private=self._allow_private)
        if len(self._found) >= MAX_HOSTS:
            self._found.clear()
        self._found[host] = Found(addresses, self._clock() + ADDRESSES_S)
        return addresses

    async def _exchange(self, url: httpx.URL, request: httpx.Request) -> Answer:
        response = await (await self._transport(url)).handle_async_request(request)
        try:
            if 300 <= response.status_code < 400:
                raise ProviderError(f"{url} answered {response.status_code}: redirects are not followed")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise ProviderError(f"{url} answered in an encoding that nobody asked for")
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json" and not media_type.endswith("+json"):
                if response.status_code >= 400:
                    return Answer(status=response.status_code, document={})
                raise ProviderError(f"{url} answered {response.status_code} with {media_type!r} and not JSON")
            body = await self._body(url, cast(AsyncIterable[bytes], response.stream))
            return Answer(status=response.status_code, document=read_object(body))
        except NotStrictError as error:
            raise ProviderError(f"{url} answered no JSON object: {error}") from error
        finally:
            await response.aclose()

    async def _body(self, url: httpx.URL, stream: AsyncIterable[bytes]) -> bytes:
        body = bytearray()
        async for chunk in stream:
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise ProviderError(f"{url} answered more than {self._limits.max_bytes} bytes")
        return bytes(body)

    async def _transport(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        authority = f"{url.scheme}://{url.netloc.decode('ascii')}"
        transport = self._transports.pop(authority, None)
        if transport is None:
            transport = httpx.AsyncHTTPTransport(
                verify=self._tls,
                trust_env=False,
                limits=httpx.Limits(max_keepalive_connections=4, keepalive_expiry=KEEP_ALIVE_S),
            )
        self._transports[authority] = transport
        if len(self._transports) > MAX_HOSTS:
            await self._transports.pop(next(iter(self._transports))).aclose()
        return transport
