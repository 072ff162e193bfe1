"""One credential store of several processes, of which each opens it more than once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from dhatu_gateway.auth.records import AuditEntry
from dhatu_gateway.auth.store.sqlite import SqliteStore

_LATER = """
import asyncio, sys
from dhatu_gateway.auth.store.sqlite import SqliteStore
async def main():
    store = SqliteStore(sys.argv[1])
    await store.revoke([sys.argv[2]], now_s=1.0, until_s=2.0)
    await store.close()
asyncio.run(main())
"""


async def test_sqlite_outlives_a_second_store_of_its_process(tmp_path: Path) -> None:
    path = tmp_path / "auth.sqlite3"
    store = SqliteStore(path)
    assert await store.secret("api-keys")
    await SqliteStore(path).close()
    # One that takes itself for the last process removes the log when it ends; the next begins another.
    for token in ("token:a", "token:b"):
        command = [sys.executable, "-c", _LATER, str(path), token]
        await asyncio.to_thread(subprocess.run, command, check=True)
        assert await store.is_revoked([token])
    await store.note(AuditEntry(at_s=1.0, actor="operator", act="gateway.reload", target="table"))
    await store.close()
