"""How far an upload is: told in pieces, from 0 again by each attempt, and drawn where somebody looks."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client import ConfigurationError, Progress
from dhatu_client._call import BodySpec, FieldSpec
from dhatu_client._encoding.content import CHUNK_BYTES
from sdk.support import AsyncCaller, Caller, Server, answer, operation

Connect = Callable[..., Caller]
RAW = operation(
    method="PUT",
    retry="idempotent",
    bodies=(BodySpec(media_type="application/octet-stream", kind="binary", argument="content"),),
)
FORM = operation(
    method="PUT",
    retry="idempotent",
    bodies=(
        BodySpec(
            media_type="multipart/form-data",
            kind="multipart",
            fields=(FieldSpec(argument="file", name="file", file=True),),
        ),
    ),
)
DATA = b"x" * (2 * CHUNK_BYTES + 1)
STEPS = [0, CHUNK_BYTES, 2 * CHUNK_BYTES, len(DATA)]
OK = httpx.Response(200, json={})


def sent(connect: Connect, told: list[Progress], **arguments: Any) -> httpx.Request:
    server = Server(OK)
    which = FORM if "file" in arguments else RAW
    connect(server).call(which, options={"on_progress": told.append}, **arguments)
    return server.request


class TestUploads:
    @pytest.mark.parametrize("kind", ["bytes", "path", "file"])
    def test_are_told_of_in_pieces(self, connect: Connect, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "data"
        path.write_bytes(DATA)
        told: list[Progress] = []
        with path.open("rb") as file:
            content = {"bytes": DATA, "path": path, "file": file}[kind]
            request = sent(connect, told, content=content)
        assert told == [Progress(done, len(DATA)) for done in STEPS]
        assert request.content == DATA
        assert request.headers["content-length"] == str(len(DATA))

    def test_of_unknown_size(self, connect: Connect) -> None:
        told: list[Progress] = []
        sent(connect, told, content=[b"ab", b"c"])
        assert told == [Progress(0, None), Progress(2, None), Progress(3, None)]

    def test_in_parts_count_what_is_around_them(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "data"
        path.write_bytes(DATA)
        told: list[Progress] = []
        request = sent(connect, told, file=path)
        total = int(request.headers["content-length"])
        assert len(request.content) == total > len(DATA)
        assert (told[0], told[-1]) == (Progress(0, total), Progress(total, total))
        assert [progress.done_bytes for progress in told] == sorted(progress.done_bytes for progress in told)

    def test_begin_again_with_each_attempt(self, connect: Connect) -> None:
        told: list[Progress] = []
        server = Server(httpx.Response(503), OK)
        connect(server).call(RAW, options={"on_progress": told.append}, content=DATA)
        assert [progress.done_bytes for progress in told] == STEPS * 2

    def test_that_can_be_sent_once_are_not_sent_twice(self, connect: Connect) -> None:
        server = Server(httpx.Response(503), OK)
        with pytest.raises(Exception, match="503"):
            connect(server).call(RAW, options={"on_progress": print}, content=iter([b"once"]))
        assert len(server.requests) == 1

    def test_what_the_listener_raises_is_raised(self, connect: Connect) -> None:
        def tell(progress: Progress) -> None:
            raise KeyError("the listener's own")

        with pytest.raises(KeyError, match="own"):
            connect(Server(OK)).call(RAW, options={"on_progress": tell}, content=DATA)

    def test_from_async_iterables(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"ab"
            yield b"c"

        caller = AsyncCaller(Server(OK))
        told: list[Progress] = []
        try:
            caller.call(RAW, options={"on_progress": told.append}, content=chunks())
        finally:
            caller.close()
        assert [progress.done_bytes for progress in told] == [0, 2, 3]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestBars:
    def look(self, monkeypatch: pytest.MonkeyPatch) -> Terminal:
        pytest.importorskip("rich", reason="bars are an extra")
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        return terminal

    def test_of_an_upload(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        terminal = self.look(monkeypatch)
        connect(Server(OK)).call(RAW, options={"progress": True}, content=DATA)
        drawn = terminal.getvalue()
        assert "documents.get" in drawn
        assert "524.3/524.3 kB" in drawn
        assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1  # the cursor is back

    def test_of_a_download_that_fails_leave_the_terminal_as_it_was(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        terminal = self.look(monkeypatch)
        response = httpx.Response(200, content=b"PNG", headers={"content-type": "image/png"})
        caller = connect(Server(response))
        picture = operation(responses=(answer("binary", "image/png"),))
        with pytest.raises(Exception, match="checksum"):
            caller.save(caller.call(picture), tmp_path / "a.png", progress=True, checksum="md5:" + "0" * 32)
        drawn = terminal.getvalue()
        assert "a.png" in drawn
        assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1

    def test_where_nobody_looks(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("rich", reason="bars are an extra")
        pipe = io.StringIO()
        monkeypatch.setattr(sys, "stderr", pipe)
        connect(Server(OK)).call(RAW, options={"progress": True}, content=DATA)
        assert pipe.getvalue() == ""

    def test_without_rich_it_says_how_to_get_it(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "rich", None)
        server = Server(OK)
        with pytest.raises(ConfigurationError, match=r"pip install 'sample-client\[progress\]'"):
            connect(server).call(RAW, options={"progress": True}, content=DATA)
        assert server.requests == []
