"""Where the shared server is, by its URL: the same as the client of the stores reads in it."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.shared.link import server_at
from dhatu_gateway.shared.wire import encode
from redis.asyncio.connection import parse_url

URLS = (
    "redis://",
    "redis://valkey.test",
    "redis://valkey.test:7000/3",
    "redis://:p%40ss%2Fword@valkey.test/",
    "redis://reader:secret@[::1]:7000?db=2",
    "redis://127.0.0.1/1?username=reader&password=a%2520b",
    "rediss://valkey.test:7001",
    "unix:///run/with%20space/valkey.sock?db=4",
    "unix://reader:secret@/run/valkey.sock",
)


@pytest.mark.parametrize("url", URLS)
def test_it_is_read_as_by_the_client_of_the_stores(url: str) -> None:
    read: dict[str, Any] = dict(parse_url(url))
    greetings: list[bytes] = []
    if read.get("password"):
        names = [read["username"]] if read.get("username") else []
        greetings.append(encode("AUTH", *names, read["password"]))
    if read.get("db"):
        greetings.append(encode("SELECT", read["db"]))
    server = server_at(url)
    assert (server.host, server.port) == (read.get("host", "localhost"), read.get("port", 6379))
    assert server.path == read.get("path", "")
    assert (server.tls is not None) is url.startswith("rediss:")
    assert server.greetings == tuple(greetings)


@pytest.mark.parametrize("url", ["redis://127.0.0.1/first", "unix:///run/valkey.sock?db=-1"])
def test_a_database_is_a_number(url: str) -> None:
    with pytest.raises(ValueError, match="a database is a number"):
        server_at(url)
