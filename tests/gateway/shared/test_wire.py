"""What is read off a connection, however its bytes are cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dhatu_gateway.shared.wire import RedisReplyError, Wire, encode, read
from hypothesis import given
from hypothesis import strategies as st


def written(reply: Any) -> bytes:
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case _:
            return b"*%d\r\n%b" % (len(reply), b"".join(map(written, reply)))


REPLIES = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4),
)


class Peer(asyncio.Transport):
    """The other end: notes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.got = b""
        self.writes = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        self.got += data
        self.writes += 1

    def abort(self) -> None:
        self.aborted = True


def connected(timeout_s: float = 10.0) -> tuple[Wire, Peer]:
    wire, peer = Wire(timeout_s), Peer()
    wire.connection_made(peer)
    return wire, peer


@given(st.lists(REPLIES, min_size=1, max_size=5), st.integers(1, 30))
def test_replies_are_read_however_they_are_cut(replies: list[Any], size: int) -> None:
    async def play() -> None:
        wire, _ = connected()
        asked = [wire.ask(b"") for _ in replies]
        data = b"".join(map(written, replies))
        for at in range(0, len(data), size):
            wire.data_received(data[at : at + size])
        assert [answer.result() for answer in asked] == replies
        wire.close()

    asyncio.run(play())


async def test_what_is_asked_together_leaves_in_one_write() -> None:
    wire, peer = connected()
    asked = [wire.ask(encode("PING")) for _ in range(10)]
    await asyncio.sleep(0)
    assert (peer.got, peer.writes) == (encode("PING") * 10, 1)
    wire.data_received(b"+PONG\r\n" * 9 + b"-ERR no\r\n")
    assert [await answer for answer in asked[:9]] == [b"PONG"] * 9
    assert isinstance(await asked[9], RedisReplyError)
    wire.close()


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n", b":x\r\n", b"$abc\r\n"])
async def test_what_is_no_reply_ends_the_connection(garbage: bytes) -> None:
    wire, peer = connected()
    answer = wire.ask(encode("PING"))
    wire.data_received(garbage)
    with pytest.raises(ConnectionResetError):
        await answer
    assert peer.aborted
    with pytest.raises(ConnectionResetError):
        await wire.ask(encode("PING"))


async def test_a_caller_who_left_takes_no_one_else_s_reply() -> None:
    wire, _ = connected()
    left, stays = wire.ask(encode("GET", "a")), wire.ask(encode("GET", "b"))
    left.cancel()
    wire.data_received(b"$1\r\na\r\n$1\r\nb\r\n")
    assert await stays == b"b"
    wire.close()


async def test_the_oldest_command_decides_when_the_server_is_dead() -> None:
    wire, peer = connected(timeout_s=0.01)
    answer = wire.ask(encode("PING"))
    with pytest.raises(ConnectionResetError):
        await answer
    assert peer.aborted


def test_numbers_are_read_as_they_are() -> None:
    assert read(b":-9007199254740992\r\n", 0) == (-(2**53), 20)
