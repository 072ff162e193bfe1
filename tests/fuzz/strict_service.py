"""A service that reads strictly (h11) and keeps what it was asked, by the client for whom it was asked."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import h11

_BODY = b'{"read":"strictly"}'
_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One complete request."""

    method: bytes
    target: bytes
    body: bytes
    fields: tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True)
class Log:
    """What has arrived; written by the service's thread, read by the fuzzer's."""

    by_client: dict[str, list[Asked]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def of(self, client: str) -> list[Asked]:
        return self.by_client.pop(client, [])


class _Strict(asyncio.Protocol):
    """One connection of the gateway's; answers in turn by length, in chunks and without a body."""

    def __init__(self, log: Log, turns: itertools.count[int]) -> None:
        self._log = log
        self._turns = turns
        self._machine = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._machine.receive_data(data)
        try:
            while (event := self._machine.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._log.faults.append(f"{error}: {data[:2000]!r}")
            self._transport.abort()

    def _take(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> None:
        match event:
            case h11.Request():
                self._request, self._body = event, b""
            case h11.Data():
                self._body += event.data
            case h11.EndOfMessage():
                self._note(list(event.headers))
                self._answer()
            case _:
                pass

    def _note(self, trailers: list[tuple[bytes, bytes]]) -> None:
        request = self._request
        assert request is not None
        fields = tuple(request.headers)
        if request.target == b"/openapi.json":
            return  # the gateway's own question, for its report on what services have become
        clients = [value for name, value in fields if name == b"x-forwarded-for"]
        if trailers or len(clients) != 1:
            self._log.faults.append(f"trailers {trailers!r} or clients {clients!r} of {request!r}")
            return
        asked = Asked(method=request.method, target=request.target, body=self._body, fields=fields)
        self._log.by_client.setdefault(clients[0].decode(), []).append(asked)

    def _answer(self) -> None:
        match next(self._turns) % 4:
            case 0:
                status, fields, body = 204, [], b""
            case 1:
                status, fields, body = 200, [_JSON, (b"transfer-encoding", b"chunked")], _BODY
            case _:
                status, fields, body = 200, [_JSON, (b"content-length", b"%d" % len(_BODY))], _BODY
        send = self._machine.send
        head = send(h11.Response(status_code=status, headers=fields)) or b""
        to_head = self._request is not None and self._request.method == b"HEAD"
        content = (send(h11.Data(data=body)) or b"") if body and not to_head else b""
        self._transport.write(head + content + (send(h11.EndOfMessage()) or b""))
        if self._machine.our_state is h11.MUST_CLOSE:
            self._transport.close()
        else:
            self._machine.start_next_cycle()


class StrictService:
    """Listens in a thread of its own."""

    def __init__(self) -> None:
        self.log = Log()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="strict service", daemon=True)
        self._ready = threading.Event()

    @classmethod
    @contextmanager
    def serving(cls) -> Generator[Self]:
        service = cls()
        service._thread.start()
        service._ready.wait()
        try:
            yield service
        finally:
            service._loop.call_soon_threadsafe(service._loop.stop)
            service._thread.join()

    def _run(self) -> None:
        turns = itertools.count()
        listen = self._loop.create_server(lambda: _Strict(self.log, turns), "127.0.0.1", 0)
        server = self._loop.run_until_complete(listen)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
