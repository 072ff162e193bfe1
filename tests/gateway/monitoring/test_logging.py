"""Logs are JSON lines without secrets."""

from __future__ import annotations

import io
import json
import logging
import queue
from typing import Any

import pytest
from dhatu_gateway.monitoring.logging import NeverWaits, configure_logging, redact


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_becomes_one_line_of_json() -> None:
    stream = io.StringIO()
    stop = configure_logging(logging.WARNING, stream)
    logging.getLogger("dhatu_gateway.core").warning("%s is slow\nvery", "corpus")
    logging.getLogger("dhatu_gateway.core").info("nobody asked")
    stop()
    (line,) = lines(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "logger": "dhatu_gateway.core", "message": "corpus is slow\nvery"}


def test_an_exception_is_part_of_the_line() -> None:
    stream = io.StringIO()
    stop = configure_logging(stream=stream)
    try:
        raise ValueError("dhk_abc_secretsecret")
    except ValueError:
        logging.getLogger("x").exception("failed")
    stop()
    (line,) = lines(stream)
    assert "Traceback" in line["exception"]
    assert "ValueError: dhk_abc_***" in line["exception"]


def test_records_are_dropped_rather_than_waited_for_and_counted() -> None:
    records: queue.Queue[logging.LogRecord] = queue.Queue(2)
    handler = NeverWaits(records)
    for number in range(5):
        handler.handle(logging.makeLogRecord({"msg": f"record {number}"}))
    kept = [records.get_nowait().getMessage() for _ in range(2)]
    handler.handle(logging.makeLogRecord({"msg": "record 5"}))
    kept += [records.get_nowait().getMessage() for _ in range(2)]
    assert [json.loads(line)["message"].split(",")[0] for line in kept] == [
        "record 0",
        "record 1",
        "record 5",
        "3 log records were dropped",
    ]


def test_stopping_puts_the_root_logger_back() -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    configure_logging(logging.DEBUG, io.StringIO())()
    assert (root.level, root.handlers) == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key dhk_7hNq2LxWcB4d_4yJwTqk0_1Gq0Zt!", "key dhk_7hNq2LxWcB4d_***!"),
        ("dhr_Vq3m_pZ5rD2hJ7gF4", "dhr_Vq3m_***"),
        ("Bearer eyJhbGciOi.eyJzdWIiOi.c2ln-bm_F0", "Bearer ***"),
        ("redis://user:pass@word@host:6379/0 is out", "redis://user:***@host:6379/0 is out"),
        ("http://127.0.0.1:8101/a?b=c@d", "http://127.0.0.1:8101/a?b=c@d"),
    ],
)
def test_credentials_are_not_shown(text: str, shown: str) -> None:
    assert redact(text) == shown
