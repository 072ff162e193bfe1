"""The JavaScript SDK in a real browser: a page of another origin calls the platform through its CORS."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from dhatu_client import SyncDhatuAPI, inputs
from node import SDK, run

PAGE = Path(__file__).parent / "browser" / "page.html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 60.0

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here; Debian's package is called chromium"
)


class Site(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what is posted to it."""

    def __init__(self, *args: Any, posted: Queue[Any], **kwargs: Any) -> None:
        self._posted = posted
        super().__init__(*args, **kwargs)

    def do_POST(self) -> None:
        self._posted.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def site(folder: Path) -> Iterator[tuple[str, Queue[Any]]]:
    """The address of a folder on loopback, and what pages post to it."""
    posted: Queue[Any] = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(folder), posted=posted))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def browser(address: str, profile: Path) -> Iterator[None]:
    """Chromium without a window, showing a page; nothing but that page is asked for."""
    quiet = ("background-networking", "component-update", "sync", "quic", "gpu", "default-apps", "extensions")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--no-first-run", "--no-default-browser-check"]
    command += [f"--disable-{name}" for name in quiet]
    process = subprocess.Popen(
        [*command, f"--user-data-dir={profile}", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def test_a_page_compresses_searches_and_follows_events(base_url: str, api_key: str, tmp_path: Path) -> None:
    with SyncDhatuAPI(base_url=base_url, api_key=api_key) as client:
        notes: list[inputs.DocumentInput] = [
            {"title": f"Note {number}", "text": "gacchati", "language": "sa-Latn"} for number in "12"
        ]
        client.corpus.collect(notes).wait(timeout_s=PATIENCE_S)
    run("tsc", "-p", SDK / "tsconfig.build.json", "--outDir", tmp_path / "site" / "sdk")
    shutil.copy(PAGE, tmp_path / "site")
    query = urlencode({"base_url": base_url, "api_key": api_key})

    with (
        site(tmp_path / "site") as (address, posted),
        browser(f"{address}/page.html?{query}", tmp_path / "profile"),
    ):
        found = posted.get(timeout=PATIENCE_S)

    assert found.get("error") is None, found["error"]
    assert found["roundTrip"]
    assert found["smaller"]
    assert found["bytes"] > 0
    assert found["requestId"]  # the gateway lets pages of other origins read these headers
    assert found["limit"]
    assert {"Note 1", "Note 2"} <= {*found["titles"]}
    assert found["states"][-1] == "succeeded"
    assert found["missing"] == 404
