"""What an editor sees of pages and jobs, in the eyes of both checkers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from codegen.python.test_types import check

USAGE = """\
from typing import assert_type

from library_client._pages import AsyncPaginator
from library_client._answers.raw import RawResponse, SyncStreamingResponse
from library_client.generated import ShopAPI, SyncShopAPI, bound, models


async def use(client: ShopAPI) -> None:
    assert_type(client.books.list(), AsyncPaginator[bound.BookPage, models.Book])
    page = await client.books.list(shelf="s", timeout_s=3)
    assert_type(page, bound.BookPage)
    assert_type(page.count, int | None)
    assert_type(page.has_next_page(), bool)
    assert_type(await page.next_page(), bound.BookPage | None)
    async for book in client.books.list():
        assert_type(book, models.Book)
    async for each in page.pages():
        assert_type(each, bound.BookPage)
    async for title in client.headed():
        assert_type(title, str)
    raw = await client.books.with_raw_response.list(shelf="s")
    assert_type(raw, RawResponse[bound.BookPage])
    job = await client.scans.begin(book="b")
    if job is not None:
        assert_type(await job.wait(on_progress=lambda scan: print(scan.percent)), models.Scan)


def use_sync(client: SyncShopAPI) -> None:
    page = client.books.list()
    assert_type(page, bound.SyncBookPage)
    for book in page:
        assert_type(book, models.Book)
    assert_type(page.next_page(), bound.SyncBookPage | None)
    with client.books.with_streaming_response.list() as response:
        assert_type(response, SyncStreamingResponse[bound.SyncBookPage])
    assert_type(client.scans.get("s").wait(timeout_s=3), models.Scan)
"""


def test_pages_and_jobs_are_typed(library_package: Path, tmp_path: Path) -> None:
    right = check(library_package, USAGE, tmp_path)
    assert (right.stdout, right.returncode) == ("", 0)


def test_the_stricter_checker_agrees(library_package: Path) -> None:
    (library_package.parent / "usage.py").write_text(USAGE, encoding="utf-8")
    (library_package.parent / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "pythonVersion": "3.11", "reportMissingTypeStubs": False}),
        encoding="utf-8",
    )
    run = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable),
            *("usage.py", "library_client/generated", "--level", "error"),
        ],
        cwd=library_package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
