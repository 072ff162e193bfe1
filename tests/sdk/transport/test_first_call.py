"""The first call of a process imports and builds a lot; the event loop goes on meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from sdk.transport.peers import HEAD, Website

PROGRAM = """
import asyncio, sys, threading
from dhatu_client import DhatuAPI

class Watch:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            print(name)

async def main():
    async with DhatuAPI(base_url=sys.argv[1], http_client=sys.argv[2]) as client:
        sys.meta_path.insert(0, Watch())
        page = await client.corpus.search("x")
    assert page.documents == [], page

asyncio.run(main())
"""
SLOW = {"aiohttp", "anyio", "httpcore", "httpx", "pydantic", "pydantic_core", "ssl"}


def test_nothing_slow_is_imported_on_the_loop(publish: Callable[..., Website], library: str) -> None:
    content = b'{"total": 0, "documents": [], "next_cursor": null}'
    page = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(content), content)
    site = publish(pages={"/api/v1/corpus/search": page})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, site.url, library], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    assert "dhatu_client.generated.resources" in imported, "the watch sees nothing"
    assert "dhatu_client.generated.bound" not in imported
    assert {name.partition(".")[0] for name in imported} & SLOW == set()
