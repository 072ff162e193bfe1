"""Downloads: whole or not at all, gone on with where they broke off, and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client import (
    ConnectionLostError,
    DecodingError,
    NotFoundError,
    Progress,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sdk.files import BYTES, WHOLE, Files, names
from sdk.support import BROKEN, AsyncCaller, Caller, Pieces, Server, SyncCaller, operation

Connect = Callable[..., Caller]


class TestGoingOn:
    def test_only_the_rest_is_fetched(self, connect: Connect, tmp_path: Path) -> None:
        files = Files(breaks=(300, 200))
        caller = connect(files)
        path = tmp_path / "a.zip"
        assert caller.save(caller.call(BYTES), path) == len(WHOLE)
        assert path.read_bytes() == WHOLE
        assert files.ranges == [None, "bytes=300-", "bytes=500-"]
        assert files.requests[1].headers["if-range"] == '"v1"'
        assert names(tmp_path) == ["a.zip"]

    @pytest.mark.parametrize("new", [b"new" * 10, b"new" * 200], ids=["shorter", "longer"])
    def test_a_new_version_starts_over(self, connect: Connect, tmp_path: Path, new: bytes) -> None:
        files = Files(breaks=(300,))
        caller = connect(files)
        response = caller.call(BYTES)
        files.data, files.headers["etag"] = new, '"v2"'
        path = tmp_path / "a.zip"
        assert caller.save(response, path) == len(new)
        assert path.read_bytes() == new

    def test_last_modified_serves_where_there_is_no_etag(self, connect: Connect, tmp_path: Path) -> None:
        modified, later = "Mon, 02 Nov 2026 10:00:00 GMT", "Mon, 02 Nov 2026 10:00:01 GMT"
        files = Files(breaks=(300,), etag=None, last_modified=modified, date=later)
        caller = connect(files)
        caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert files.requests[1].headers["if-range"] == modified
        assert (tmp_path / "a.zip").read_bytes() == WHOLE

    @pytest.mark.parametrize(
        "headers",
        [
            {"accept_ranges": "none"},
            {"accept_ranges": None},
            {"etag": 'W/"v1"'},
            {"etag": None},
            {"etag": None, "last_modified": "Mon, 02 Nov 2026 10:00:00 GMT"},
            {
                "etag": None,
                "last_modified": "Mon, 02 Nov 2026 10:00:00 GMT",
                "date": "Mon, 02 Nov 2026 10:00:00 GMT",
            },
            {
                "etag": 'W/"v1"',
                "last_modified": "Mon, 02 Nov 2026 10:00:00 GMT",
                "date": "Tue, 03 Nov 2026 10:00:00 GMT",
            },
        ],
    )
    def test_what_the_server_does_not_offer(
        self, connect: Connect, tmp_path: Path, headers: dict[str, Any]
    ) -> None:
        files = Files(breaks=(300,), **headers)
        caller = connect(files)
        with pytest.raises(ConnectionLostError):
            caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert len(files.requests) == 1
        assert names(tmp_path) == []

    def test_what_the_caller_does_not_want(self, connect: Connect, tmp_path: Path) -> None:
        for options, saving in (({"resume": False}, {}), ({}, {"resume": False})):
            files = Files(breaks=(300,))
            caller = connect(files)
            with pytest.raises(ConnectionLostError):
                caller.save(caller.call(BYTES, options=options), tmp_path / "a.zip", **saving)
            assert len(files.requests) == 1
            assert names(tmp_path) == []

    def test_ranges_are_of_get_alone(self, connect: Connect, tmp_path: Path) -> None:
        files = Files(breaks=(300,))
        caller = connect(files)
        with pytest.raises(ConnectionLostError):
            caller.save(caller.call(operation(responses=BYTES.responses, method="POST")), tmp_path / "a.zip")
        assert len(files.requests) == 1

    def test_a_part_of_something_else_starts_over(self, connect: Connect, tmp_path: Path) -> None:
        wrong = [
            {"content-range": "bytes 0-1023/1024"},
            {"content-range": "bytes 300-1023/2000"},
            {"content-range": "garbled"},
            {},
            {"content-range": "bytes 300-1023/1024", "etag": '"v2"'},
            {"content-range": "bytes 300-1023/1024", "content-encoding": "identity, x"},
        ]
        for headers in wrong:
            part = httpx.Response(206, headers={"content-type": "application/zip"} | headers, content=b"?")
            server = Server(Files(breaks=(300,)), part, Files())
            caller = connect(server)
            caller.save(caller.call(BYTES), tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == WHOLE
            assert "range" not in server.requests[2].headers

    def test_nothing_is_missing_after_all(self, connect: Connect, tmp_path: Path) -> None:
        """A body of unknown length may break after its last byte."""
        files = Files()
        unknown = httpx.Headers({"etag": '"v1"', "accept-ranges": "bytes", "content-type": "application/zip"})
        broken = lambda request: httpx.Response(200, headers=unknown, stream=Pieces(WHOLE, BROKEN))  # noqa: E731
        server = Server(broken, files)
        caller = connect(server)
        assert caller.save(caller.call(BYTES), tmp_path / "a.zip") == len(WHOLE)
        assert files.ranges == ["bytes=1024-"]

    def test_a_416_of_something_shorter_starts_over(self, connect: Connect, tmp_path: Path) -> None:
        refused = httpx.Response(416, headers={"content-range": "bytes */200"})
        server = Server(Files(breaks=(300,)), refused, Files(WHOLE[:200]))
        caller = connect(server)
        assert caller.save(caller.call(BYTES), tmp_path / "a.zip") == 200

    def test_a_break_before_the_first_byte(self, connect: Connect, tmp_path: Path) -> None:
        files = Files(breaks=(0,))
        caller = connect(files)
        caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert files.ranges == [None, None]
        assert (tmp_path / "a.zip").read_bytes() == WHOLE

    def test_a_body_that_ends_too_early_is_broken(self, connect: Connect, tmp_path: Path) -> None:
        headers = {"etag": '"v1"', "accept-ranges": "bytes", "content-type": "application/zip"}
        short = httpx.Response(200, headers=headers | {"content-length": "1024"}, stream=Pieces(WHOLE[:1000]))
        files = Files()
        caller = connect(Server(lambda request: short, files))
        caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert files.ranges == ["bytes=1000-"]
        assert (tmp_path / "a.zip").read_bytes() == WHOLE

    def test_a_part_tells_how_much_there_is(self, connect: Connect, tmp_path: Path) -> None:
        headers = {"etag": '"v1"', "accept-ranges": "bytes", "content-type": "application/zip"}
        more = headers | {"content-range": "bytes 300-1023/1024"}

        def begin(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers=headers, stream=Pieces(WHOLE[:300], BROKEN))

        def go_on(request: httpx.Request) -> httpx.Response:
            return httpx.Response(206, headers=more, stream=Pieces(WHOLE[300:900]))

        files = Files()
        caller = connect(Server(begin, go_on, files))
        assert caller.save(caller.call(BYTES), tmp_path / "a.zip") == len(WHOLE)
        assert files.ranges == ["bytes=900-"]

    def test_a_refusal_is_raised(self, connect: Connect, tmp_path: Path) -> None:
        server = Server(Files(breaks=(300,)), httpx.Response(404))
        caller = connect(server)
        with pytest.raises(NotFoundError):
            caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert len(server.requests) == 2
        assert not (tmp_path / "a.zip").exists()

    def test_an_empty_answer_is_no_continuation(self, connect: Connect, tmp_path: Path) -> None:
        caller = connect(Server(Files(breaks=(300,)), httpx.Response(204)))
        with pytest.raises(DecodingError, match="went on with status 204"):
            caller.save(caller.call(BYTES), tmp_path / "a.zip")

    def test_it_is_given_up_when_nothing_comes_any_more(self, connect: Connect, tmp_path: Path) -> None:
        files = Files(breaks=(300, 0, 0, 0, 0))
        caller = connect(files, max_retries=2)
        with pytest.raises(ConnectionLostError):
            caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert len(files.requests) == 3
        assert names(tmp_path) == ["a.zip.part", "a.zip.part.json"]


class TestLater:
    """What one process left, another goes on with."""

    def left(self, connect: Connect, path: Path, **headers: Any) -> None:
        caller = connect(Files(breaks=(300,), **headers), max_retries=0)
        with pytest.raises(ConnectionLostError):
            caller.save(caller.call(BYTES), path)
        assert path.with_name("a.zip.part").read_bytes() == WHOLE[:300]

    def test_only_the_rest_is_fetched(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        self.left(connect, path)
        files = Files()
        caller = connect(files)
        told: list[Progress] = []
        checksum = "sha256:" + hashlib.sha256(WHOLE).hexdigest()
        assert caller.save(caller.call(BYTES), path, checksum=checksum, on_progress=told.append) == len(WHOLE)
        assert files.ranges == [None, "bytes=300-"]
        assert (told[0], told[-1]) == (Progress(300, 1024), Progress(1024, 1024))
        assert names(tmp_path) == ["a.zip"]

    @pytest.mark.parametrize("headers", [{"etag": '"v2"'}, {"accept_ranges": None}, {"etag": None}])
    def test_another_version_starts_over(
        self, connect: Connect, tmp_path: Path, headers: dict[str, Any]
    ) -> None:
        path = tmp_path / "a.zip"
        self.left(connect, path)
        files = Files(b"new" * 200, **headers)
        caller = connect(files)
        assert caller.save(caller.call(BYTES), path) == 600
        assert path.read_bytes() == b"new" * 200
        assert len(files.requests) == 1
        assert names(tmp_path) == ["a.zip"]

    def test_an_equal_etag_of_another_resource_starts_over(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        self.left(connect, path)
        caller = connect(Files(b"new" * 200))
        caller.save(caller.call(BYTES, options={"extra_query": {"id": "2"}}), path)
        assert path.read_bytes() == b"new" * 200

    def test_a_part_that_is_whole_needs_no_further_request(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        self.left(connect, path)
        path.with_name("a.zip.part").write_bytes(WHOLE)
        files = Files()
        caller = connect(files)
        caller.save(caller.call(BYTES), path)
        assert len(files.requests) == 1
        assert path.read_bytes() == WHOLE

    @pytest.mark.parametrize("notes", ["", "{", "[]", "null"])
    def test_a_part_that_nobody_knows_starts_over(self, connect: Connect, tmp_path: Path, notes: str) -> None:
        path = tmp_path / "a.zip"
        path.with_name("a.zip.part").write_bytes(b"?" * 300)
        if notes:
            path.with_name("a.zip.part.json").write_text(notes)
        caller = connect(Files())
        caller.save(caller.call(BYTES), path)
        assert path.read_bytes() == WHOLE
        assert names(tmp_path) == ["a.zip"]

    def test_a_part_that_is_too_long_starts_over(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        self.left(connect, path)
        path.with_name("a.zip.part").write_bytes(b"?" * 2000)
        caller = connect(Files())
        caller.save(caller.call(BYTES), path, checksum="sha256:" + hashlib.sha256(WHOLE).hexdigest())
        assert path.read_bytes() == WHOLE

    def test_the_notes_hold_no_secret(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        caller = connect(Files(breaks=(300,)), max_retries=0)
        with pytest.raises(ConnectionLostError):
            caller.save(caller.call(BYTES, options={"extra_query": {"key": "s3cret"}}), path)
        notes = path.with_name("a.zip.part.json").read_text()
        assert "s3cret" not in notes
        assert json.loads(notes)["validator"] == '"v1"'


class TestSaving:
    def test_what_was_read_before_is_not_saved(self, connect: Connect, tmp_path: Path) -> None:
        wrong = f"sha-256=:{'A' * 43}=:"
        caller = connect(Files(repr_digest=wrong))
        response = caller.call(BYTES)
        assert caller.next(response) == WHOLE[:100]
        assert caller.save(response, tmp_path / "a.zip") == len(WHOLE) - 100
        assert (tmp_path / "a.zip").read_bytes() == WHOLE[100:]

    def test_an_option_that_there_is_not(self, connect: Connect, tmp_path: Path) -> None:
        caller = connect(Files())
        with pytest.raises(TypeError, match="unexpected keyword argument 'chunk'"):
            caller.save(caller.call(BYTES), tmp_path / "a.zip", chunk=1)

    def test_a_folder_that_is_not_there(self, connect: Connect, tmp_path: Path) -> None:
        caller = connect(Files())
        with pytest.raises(FileNotFoundError):
            caller.save(caller.call(BYTES), tmp_path / "none" / "a.zip")

    def test_a_listener_that_raises_leaves_what_can_be_gone_on_with(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        def tell(progress: Progress) -> None:
            if progress.done_bytes >= 300:
                raise KeyError("the listener's own")

        caller = connect(Files())
        with pytest.raises(KeyError):
            caller.save(caller.call(BYTES), tmp_path / "a.zip", on_progress=tell)
        assert (tmp_path / "a.zip.part").read_bytes() == WHOLE[:300]

    def test_an_answer_of_a_part_is_saved_as_it_is(self, connect: Connect, tmp_path: Path) -> None:
        caller = connect(Files())
        options = {"extra_headers": {"Range": "bytes=1000-", "If-Range": '"v1"'}}
        assert caller.save(caller.call(BYTES, options=options), tmp_path / "end") == 24


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@pytest.mark.parametrize("colour", [SyncCaller, AsyncCaller])
@given(
    data=st.binary(min_size=1, max_size=600),
    breaks=st.lists(st.integers(0, 600), max_size=6),
    versions=st.lists(st.integers(0, 3), max_size=6),
    resume=st.booleans(),
)
def test_whatever_breaks_where_the_file_is_whole(
    colour: type[SyncCaller | AsyncCaller],
    tmp_path: Path,
    data: bytes,
    breaks: list[int],
    versions: list[int],
    resume: bool,
) -> None:
    """Versions that change between connections are never mixed; what is not whole does not appear."""
    files = Files(data, breaks=tuple(breaks))
    left = list(versions)

    def serve(request: httpx.Request) -> httpx.Response:
        version = left.pop(0) if left else 0
        files.headers["etag"], files.data = f'"v{version}"', data + bytes([version]) * 10
        return files(request)

    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    while not path.exists():
        caller = colour(serve, max_retries=1)
        try:
            size_bytes: Any = caller.save(caller.call(BYTES), path, resume=resume)
        except ConnectionLostError:
            assert not path.exists()
        else:
            assert path.stat().st_size == size_bytes
        finally:
            caller.close()
    saved = path.read_bytes()
    assert saved[:-10] == data
    assert len(set(saved[-10:])) == 1
