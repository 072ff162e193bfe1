"""A small DNS server over UDP and TCP on the loopback, made of dnspython's messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from dhatu_gateway.core.discovery.origin import Nameserver


class Zone:
    """What the server answers, and how it fails."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], tuple[int, list[str]]] = {}
        """TTL and texts by name with its dot, and type."""
        self.rcode: dict[str, dns.rcode.Rcode] = {}
        """By type of the question."""
        self.silent = False
        self.truncated = False
        self.asked: list[tuple[str, str]] = []

    def put(self, name: str, record_type: str, *texts: str, ttl: int = 60) -> None:
        self.records[f"{name}.", record_type] = (ttl, list(texts))

    def answer(self, wire: bytes, *, udp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, record_type = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, record_type))
        if self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if record_type in self.rcode:
            response.set_rcode(self.rcode[record_type])
        elif self.truncated and udp:
            response.flags |= dns.flags.TC
        elif (name, record_type) in self.records:
            ttl, texts = self.records[name, record_type]
            response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", record_type, *texts))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own is no subclass of it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._zone.answer(data, udp=True)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def dns_server() -> AsyncGenerator[tuple[Zone, Nameserver]]:
    zone = Zone()

    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2))
        answer = zone.answer(await reader.readexactly(length), udp=False)
        if answer is not None:
            writer.write(len(answer).to_bytes(2) + answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(over_tcp, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(zone), local_addr=("127.0.0.1", port)
    )
    try:
        yield zone, Nameserver(host="127.0.0.1", port=port)
    finally:
        transport.close()
        server.close()
        await server.wait_closed()
