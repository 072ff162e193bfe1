"""The command as a real process, over real sockets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

HIT = {"id": "d1", "title": "Sandhi", "language": "sa", "score": 1.5, "snippet": "..."}
PAGE = {"total": 1, "documents": [HIT], "next_cursor": None}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if "events" in self.path:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b'data: {"sequence": 1}\n\n')
            self.wfile.flush()
            self.server.over.wait(30)  # type: ignore[attr-defined]  # the fixture's
            return
        body = json.dumps(PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.over = threading.Event()  # type: ignore[attr-defined]  # read above
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.over.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_process_prints_what_a_server_answers(url: str) -> None:
    line = [sys.executable, "-m", "dhatu_client", "corpus", "search", "x", "--json", "--base-url", url]
    ended = subprocess.run(line, capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert json.loads(ended.stdout) == HIT


def test_verbose_tells_what_happens_on_standard_error(url: str) -> None:
    line = [sys.executable, "-m", "dhatu_client", "-v", "corpus", "search", "x", "--json", "--base-url", url]
    ended = subprocess.run(line, capture_output=True, check=False, timeout=60, text=True)
    assert json.loads(ended.stdout) == HIT
    assert f"attempt 1: GET {url}/api/v1/corpus/search\n" in ended.stderr


def test_a_process_that_follows_events_can_be_interrupted(url: str) -> None:
    line = [sys.executable, "-m", "dhatu_client", "corpus", "job-events", "j", "--json", "--base-url", url]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'{"sequence": 1}\n'  # before the server is done
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_help_needs_neither_the_transport_nor_the_models() -> None:
    program = """
import sys
from dhatu_client._cli.app import run
from dhatu_client.generated.commands import PROGRAM
code = run(PROGRAM, ["corpus", "search", "--help"])
sys.exit(code or sorted({"httpx", "pydantic", "anyio"} & sys.modules.keys()) or 0)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
