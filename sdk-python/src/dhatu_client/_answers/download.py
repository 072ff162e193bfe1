"""Bytes that arrive and go into a file, which appears when it is whole; without I/O but on that file."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

from .._call import OnProgress, Progress
from .._encoding.content import CHUNK_BYTES
from .._errors import APIStatusError, ChecksumError, DecodingError
from .._policies.retry import date_s
from .._progress import Meter
from .._wire import Answer, Failure, TransportFailed
from .checksums import Checksums, Promise, promised_by_headers
from .reading import Give, Read, Reading, Reopen, Resumption, Run, Steps, Wait
from .streamed import Reconnects, StreamHead

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")
_UNSATISFIED = re.compile(r"bytes \*/(\d+)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be saved, and how."""

    path: Path
    promises: tuple[Promise, ...]
    """Of the caller."""
    resume: bool
    meter: Meter
    begun: bool
    """Whether somebody has read a part of the answer already: then only the rest is saved."""


def download(head: StreamHead, order: Order) -> Reading[int]:
    """Give the size of the file once, when it is whole and in its place.

    What has arrived so far lies beside it in `NAME.part`; where it could be gone on with, it stays there when
    the connection breaks for good, and `NAME.part.json` says what it is a part of.
    """
    saving = _Saving(head, order)
    try:
        with order.meter.running() as tell:
            saving.tell = tell
            yield from saving.fetch()
        yield Run(saving.finish)
    except BaseException:
        saving.abandon()
        raise
    yield Give(saving.size)


class _Saving:
    """A file that grows."""

    def __init__(self, head: StreamHead, order: Order) -> None:
        self.size = 0
        self.tell: OnProgress = _nobody
        self._head = head
        self._order = order
        self._part = order.path.with_name(order.path.name + ".part")
        self._notes = order.path.with_name(order.path.name + ".part.json")
        self._file: IO[bytes] | None = None
        resumption = head.resumption
        usable = order.resume and not order.begun and resumption is not None and resumption.method == "GET"
        # Ranges are defined for GET alone (RFC 9110, section 14.2).
        self._resumption: Resumption | None = resumption if usable else None
        self._reconnects = Reconnects(resumption) if usable and resumption is not None else None
        self._adopt(head.answer)

    def _adopt(self, answer: Answer) -> None:
        """Begin with an answer, all of which is to be saved."""
        whole = not self._order.begun
        self._total = _length(answer) if whole else None
        self._validator = _validator(answer) if self._resumption is not None else ""
        promises = promised_by_headers(answer.status, answer.headers) if whole else ()
        self._checksums = Checksums((*self._order.promises, *promises))
        self._request_id = answer.request_id

    # The connection.

    def fetch(self) -> Steps[None]:
        """Until everything is in the part. Raises the error of the connection where it breaks for good."""
        yield Run(self._open)
        whole = self.size > 0 and self.size == self._total  # as an earlier process left it
        if self.size and not whole:
            whole = yield from self._go_on()
        while not whole:
            try:
                yield from self._receive()
                return
            except TransportFailed as failed:
                delay_s = self._reconnects.delay_s() if self._validator and self._reconnects else None
                if delay_s is None:
                    raise self._head.error(failed) from failed.failure.cause
            yield Wait(delay_s)
            whole = yield from self._go_on()

    def _receive(self) -> Steps[None]:
        """The body of the present answer. Raises `TransportFailed` where it ends before it should."""
        pending: list[bytes] = []
        pending_bytes = 0
        try:
            self.tell(Progress(self.size, self._total))
            while (chunk := (yield Read())) is not None:
                pending.append(chunk)
                pending_bytes += len(chunk)
                self.tell(Progress(self.size + pending_bytes, self._total))
                if pending_bytes >= CHUNK_BYTES:
                    data, pending, pending_bytes = b"".join(pending), [], 0
                    yield Run(partial(self._write, data))
        finally:
            # Even where it breaks off: what has arrived need not arrive again. One write of this size needs
            # no thread of its own.
            self._write(b"".join(pending))
        if self._total is not None and self.size != self._total:
            reason = EOFError(f"{self.size:,} of {self._total:,} bytes arrived")
            raise TransportFailed(Failure(kind="lost", cause=reason))

    def _go_on(self) -> Steps[bool]:
        """Ask for what is missing; True where nothing is."""
        answer: Answer | None = None
        if self.size:
            try:
                answer = yield Reopen((("range", f"bytes={self.size}-"), ("if-range", self._validator)))
            except APIStatusError as error:
                if error.status != 416:
                    raise
                # Nothing lies behind what is here: it is whole, or of something else.
                said = _UNSATISFIED.match(error.headers.get("content-range", ""))
                if said is not None and int(said[1]) == self.size:
                    return True
        if answer is not None and answer.status == 206 and self._continues(answer):
            return False
        whole: Answer = answer if answer is not None and answer.status == 200 else (yield Reopen(()))
        if whole.status != 200:
            self._refuse(whole)
        self._adopt(whole)
        yield Run(self._start_over)
        return False

    def _continues(self, answer: Answer) -> bool:
        """Whether a part is the one that is missing, of the same whole (RFC 9110, section 15.3.7.2)."""
        headers = answer.headers
        given = _CONTENT_RANGE.match(headers.get("content-range", ""))
        if given is None or int(given[1]) != self.size or _encoded(answer):
            return False
        total = None if given[3] == "*" else int(given[3])
        if self._total is not None and total is not None and total != self._total:
            return False
        etag = headers.get("etag", "")
        if self._validator.startswith('"') and etag and etag != self._validator:
            return False
        self._total = self._total if total is None else total
        return True

    def _refuse(self, answer: Answer) -> NoReturn:
        raise DecodingError(
            f"the download broke off, and the server went on with status {answer.status}",
            operation=self._head.operation,
            status=answer.status,
            request_id=answer.request_id,
        )

    # The file.

    def _open(self) -> None:
        """Go on with what an earlier process left, where it is a part of the same; else begin."""
        if self._validator and self._read_notes() == self._note():
            self._file = self._part.open("ab")
            with self._part.open("rb") as left:
                while data := left.read(CHUNK_BYTES):
                    self._checksums.update(data)
                    self.size += len(data)
            if self._total is None or self.size <= self._total:
                return
            self._file.close()
            self._adopt(self._head.answer)
        self._file = self._part.open("wb")
        self._start_over()

    def _start_over(self) -> None:
        assert self._file is not None, "it was opened first"
        self._file.truncate(0)
        self._file.seek(0)
        self.size = 0
        if self._validator:
            self._notes.write_text(json.dumps(self._note()), encoding="utf-8")
        else:
            self._notes.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        assert self._file is not None, "it was opened first"
        self._file.write(data)
        self._checksums.update(data)
        self.size += len(data)
        if self._reconnects is not None:
            self._reconnects.progressed()

    def finish(self) -> None:
        """Put it in its place. Raises `ChecksumError` where it is not what it should be."""
        broken = self._checksums.broken()
        if broken is not None:
            self._validator = ""  # nobody shall go on with that
            raise ChecksumError(
                self._head.operation,
                algorithm=broken.algorithm,
                source=broken.source,
                request_id=self._request_id,
            )
        assert self._file is not None, "it was opened first"
        self._file.close()
        self._part.replace(self._order.path)
        self._notes.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Leave what can be gone on with, and nothing else."""
        if self._file is None:
            return
        self._file.close()
        if not self._validator or not self.size:
            self._part.unlink(missing_ok=True)
            self._notes.unlink(missing_ok=True)

    def _note(self) -> dict[str, str]:
        """What the part is a part of: an ETag alone says nothing of which thing it is the ETag."""
        resource = self._resumption.resource if self._resumption is not None else ""
        return {"validator": self._validator, "resource": hashlib.sha256(resource.encode()).hexdigest()}

    def _read_notes(self) -> object:
        try:
            return json.loads(self._notes.read_text(encoding="utf-8")) if self._part.is_file() else None
        except (OSError, ValueError):
            return None


def _nobody(progress: Progress) -> None:
    """Hears of no progress."""


def _encoded(answer: Answer) -> bool:
    """Whether what is read is not what travels: sizes and ranges count what travels."""
    return answer.headers.get("content-encoding", "identity") != "identity"


def _length(answer: Answer) -> int | None:
    length = answer.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and not _encoded(answer) else None


def _validator(answer: Answer) -> str:
    """What to send as `If-Range`; empty where the rest of the answer could not be asked for.

    A strong ETag; where there is none at all, a Last-Modified that is strong because the answer's Date is at
    least a second later (RFC 9110, sections 8.8.2.2 and 13.1.5).
    """
    headers = answer.headers
    ranges = [unit.strip() for unit in headers.get("accept-ranges", "").lower().split(",")]
    if answer.status != 200 or "bytes" not in ranges or _encoded(answer):
        return ""
    etag = headers.get("etag", "")
    if etag:
        return etag if etag.startswith('"') else ""
    modified = headers.get("last-modified", "")
    modified_s, now_s = (date_s(text) if text else None for text in (modified, headers.get("date", "")))
    return modified if modified_s is not None and now_s is not None and now_s - modified_s >= 1 else ""
