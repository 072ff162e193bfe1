"""What downloads are checked by: headers of the answer, and what the caller says."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client import ArgumentError, ChecksumError, ConnectionLostError
from sdk.files import BYTES, WHOLE, Files, names
from sdk.support import BROKEN, Caller, Pieces

Connect = Callable[..., Caller]


def digest_of(data: bytes, algorithm: str) -> str:
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


class TestChecksums:
    @pytest.mark.parametrize(
        ("headers", "source"),
        [
            ({"repr_digest": f"sha-256=:{digest_of(b'else', 'sha256')}:"}, "sha256 of repr-digest"),
            (
                {"repr_digest": f"md5=:AAAA:, sha-512=:{digest_of(b'else', 'sha512')}:"},
                "sha512 of repr-digest",
            ),
            ({"content_digest": f"sha-256=:{digest_of(b'else', 'sha256')}:"}, "sha256 of content-digest"),
            ({"content_md5": digest_of(b"else", "md5")}, "md5 of content-md5"),
        ],
    )
    def test_what_a_header_says(
        self, connect: Connect, tmp_path: Path, headers: dict[str, Any], source: str
    ) -> None:
        caller = connect(Files(**headers))
        with pytest.raises(ChecksumError, match=source):
            caller.save(caller.call(BYTES), tmp_path / "a.zip")
        assert names(tmp_path) == []

    def test_what_holds(self, connect: Connect, tmp_path: Path) -> None:
        sha256, sha512 = digest_of(WHOLE, "sha256"), digest_of(WHOLE, "sha512")
        files = Files(
            breaks=(300, 300),
            repr_digest=f"sha-256=:{sha256}:,sha-512=:{sha512}:",
            content_md5=digest_of(WHOLE, "md5"),
        )
        caller = connect(files)
        checksum = "SHA-256:" + hashlib.sha256(WHOLE).hexdigest().upper()
        assert caller.save(caller.call(BYTES), tmp_path / "a.zip", checksum=checksum) == len(WHOLE)

    def test_what_is_weak_or_garbled_says_nothing(self, connect: Connect, tmp_path: Path) -> None:
        files = Files(repr_digest="md5=:AAAA:, unixsum=30637, sha-256=:A:", content_md5="?")
        caller = connect(files)
        assert caller.save(caller.call(BYTES), tmp_path / "a.zip") == len(WHOLE)

    def test_of_a_part_what_is_said_of_the_part(self, connect: Connect, tmp_path: Path) -> None:
        options = {"extra_headers": {"Range": "bytes=1000-", "If-Range": '"v1"'}}
        whole, part = digest_of(WHOLE, "sha256"), digest_of(WHOLE[1000:], "sha256")
        caller = connect(Files(repr_digest=f"sha-256=:{whole}:", content_digest=f"sha-256=:{part}:"))
        assert caller.save(caller.call(BYTES, options=options), tmp_path / "end") == 24
        caller = connect(Files(content_digest=f"sha-256=:{whole}:"))
        with pytest.raises(ChecksumError, match="content-digest"):
            caller.save(caller.call(BYTES, options=options), tmp_path / "end")

    def test_what_the_caller_says(self, connect: Connect, tmp_path: Path) -> None:
        caller = connect(Files())
        (tmp_path / "a.zip").write_bytes(b"before")
        with pytest.raises(ChecksumError) as caught:
            caller.save(caller.call(BYTES), tmp_path / "a.zip", checksum="sha256:" + "0" * 64)
        assert (caught.value.algorithm, caught.value.source) == ("sha256", "checksum=")
        assert names(tmp_path) == ["a.zip"]
        assert (tmp_path / "a.zip").read_bytes() == b"before"

    @pytest.mark.parametrize(
        "checksum", ["sha256", "sha256:12", "sha256:xy", "rot13:00", "shake_128:00", ":"]
    )
    def test_what_is_no_checksum(self, connect: Connect, tmp_path: Path, checksum: str) -> None:
        caller = connect(Files())
        with pytest.raises(ArgumentError, match="sha256:"):
            caller.save(caller.call(BYTES), tmp_path / "a.zip", checksum=checksum)

    def test_compressed_answers_are_checked_by_the_caller_alone(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        """Size, ranges and digests are of what travels (RFC 9110, sections 8.6 and 14.2; RFC 9530)."""
        import gzip

        packed = gzip.compress(WHOLE)
        headers = {
            "content-type": "application/zip",
            "content-encoding": "gzip",
            "content-digest": f"sha-256=:{digest_of(packed, 'sha256')}:",
            "etag": '"v1"',
            "accept-ranges": "bytes",
        }
        caller = connect(lambda request: httpx.Response(200, headers=headers, stream=Pieces(packed)))
        checksum = "sha256:" + hashlib.sha256(WHOLE).hexdigest()
        assert caller.save(caller.call(BYTES), tmp_path / "a.zip", checksum=checksum) == len(WHOLE)
        caller = connect(
            lambda request: httpx.Response(200, headers=headers, stream=Pieces(packed[:20], BROKEN))
        )
        with pytest.raises(ConnectionLostError):
            caller.save(caller.call(BYTES), tmp_path / "b.zip")
        assert names(tmp_path) == ["a.zip"]
