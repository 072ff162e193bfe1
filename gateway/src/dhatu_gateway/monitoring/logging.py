"""Logs: one JSON object per line, written by a thread of its own, without secrets."""

from __future__ import annotations

import logging
import queue
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import TextIO

import orjson

MAX_WAITING_RECORDS = 10_000

SECRETS = re.compile(
    r"(dhk_[0-9A-Za-z]+_|dhr_[0-9A-Za-z]+_)[0-9A-Za-z_]+"  # keys and refresh tokens: the id stays
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # JSON Web Tokens
    r"|(://[^/\s:@]*:)[^/\s]+(?=@)",  # passwords in URLs
    re.ASCII,
)

# JSON leaves these as they are, but terminals obey some of them, and some readers break lines at others.
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029]")


def redact(text: str) -> str:
    """Replace what looks like a credential.

    >>> redact("refused dhk_7hNq2LxWcB4d_4yJwTqk0_1Gq0Zt at redis://:hunter2@cache:6379")
    'refused dhk_7hNq2LxWcB4d_*** at redis://:***@cache:6379'
    """
    return SECRETS.sub(lambda match: (match[1] or match[2] or "") + "***", text)


class JsonFormatter(logging.Formatter):
    """Writes a record as one line: time, level, logger, message, and the exception if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        members = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            members["exception"] = redact(self.formatException(record.exc_info))
        return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", orjson.dumps(members).decode())


class NeverWaits(QueueHandler):
    """Drops records while the writer cannot keep up, for a slow disk must not stop the event loop.

    Once there is room again, a record says how many were dropped.
    """

    def __init__(self, records: queue.Queue[logging.LogRecord]) -> None:
        super().__init__(records)
        # Formatted by the caller: a queue handler would flatten the exception into the message otherwise.
        self.setFormatter(JsonFormatter())
        self._dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1
            return
        if self._dropped:
            count, self._dropped = self._dropped, 0
            message = f"{count} log records were dropped, because they could not be written fast enough"
            notice = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": message}
            self.enqueue(self.prepare(logging.makeLogRecord(notice)))


def configure_logging(level: int = logging.WARNING, stream: TextIO | None = None) -> Callable[[], None]:
    """Send every record from `level` up to a stream (standard error) as JSON lines.

    Answers a function that writes what is waiting and puts the root logger back as it was.
    """
    records: queue.Queue[logging.LogRecord] = queue.Queue(MAX_WAITING_RECORDS)
    producer = NeverWaits(records)
    listener = QueueListener(records, logging.StreamHandler(stream or sys.stderr))
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    root.handlers[:] = [producer]
    root.setLevel(level)
    listener.start()

    def stop() -> None:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        listener.stop()

    return stop
