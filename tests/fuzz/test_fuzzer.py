"""A sample of what `make fuzz` does, and that it would find what it looks for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import strategies as st

from fuzz.campaign import Found, Progress, Property, campaign
from fuzz.draft import Attempt
from fuzz.held import Fault, Held, check_log, kept
from fuzz.reading import Answers, read_requests
from fuzz.strict_service import Asked, Log
from fuzz.wire import WireFuzzer
from fuzz.wire_campaign import fuzz_wire

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_a_sample_of_requests_does_no_harm(tmp_path: Path) -> None:
    fuzz_wire(tmp_path, 150, seed=1, progress=Progress(label="sample", total=150))


def test_requests_on_one_connection_are_read_in_their_order() -> None:
    reading = read_requests(GET + POST + b"\r\n" + GET.replace(b"GET ", b"GET   "))
    assert [(sent.method, sent.body) for sent in reading.requests] == [
        (b"GET", b""),
        (b"POST", b"abc"),
        (b"GET", b""),
    ]
    assert reading.whole


@pytest.mark.parametrize("rest", [b"GET / HT", POST[:-3], b"\0", GET.replace(b": ", b" : ")])
def test_a_part_of_a_request_is_none(rest: bytes) -> None:
    reading = read_requests(GET + rest)
    assert len(reading.requests) == 1
    assert not reading.whole


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_a_malformed_answer_is_a_fault(answer: bytes) -> None:
    with pytest.raises(Fault):
        Answers(()).feed(answer)


def test_answers_are_read_whichever_way_they_arrive() -> None:
    answers = Answers((b"HEAD",))
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    for byte in b"HTTP/1.1 100 Continue\r\n\r\n" + OK[:-2] + chunked + OK:
        answers.feed(bytes([byte]))
    assert [answer.body for answer in answers.complete] == [b"", b"ok", b"ok"]
    assert not answers.unfinished


def test_an_answer_to_head_has_no_body() -> None:
    answers = Answers((b"HEAD",))
    answers.feed(OK)
    with pytest.raises(Fault, match="too much or too little: b'ok'"):
        answers.finish()


def test_a_refused_request_by_head_may_be_answered_either_way() -> None:
    reading = read_requests(b"HEAD / HTTP/1.1\r\n\r\n")
    assert reading.ends_with_head
    refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n"
    for body in (b"", b"{}"):
        answers = Answers(())
        answers.feed(refusal + body)
        answers.finish(may_lack_body=reading.ends_with_head)
        assert [answer.status for answer in answers.complete] == [400]


def test_an_answer_may_end_with_its_connection() -> None:
    answers = Answers(())
    answers.feed(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nto the end")
    assert not answers.complete
    answers.finish()
    assert answers.complete[0].body == b"to the end"


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        (b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "answered with 500"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "nobody can tell"),
        (OK, ""),
    ],
)
def test_what_a_gateway_must_not_do_is_found(answers: bytes, what: str) -> None:
    with _answering(answers) as port:
        fuzzer = WireFuzzer(port, Log())
        attempt = Attempt(pieces=(GET,), requests=1, ending="wait")
        if not what:
            next(fuzzer.play(attempt, 0))
            return
        with pytest.raises(Fault, match=what):
            next(fuzzer.play(attempt, 0))


def test_a_request_that_nobody_sent_is_found() -> None:
    log = Log()

    def smuggle() -> None:
        asked = Asked(method=b"GET", target=b"/smuggled", body=b"", fields=())
        log.by_client.update({f"127.0.0.{n}": [asked] for n in range(256)})

    with _answering(OK, smuggle) as port, pytest.raises(Fault, match="what nobody sent"):
        next(WireFuzzer(port, log).play(Attempt(pieces=(POST,), requests=1, ending="wait"), 0))


def test_the_shortest_request_is_shown_with_its_seed() -> None:
    def hold(number: int) -> Generator[int]:
        if number > 7:
            raise Fault("too much")
        yield 1

    tried = Property(examples=st.integers(0, 1_000), hold=hold, show=str)
    with pytest.raises(Found, match=r"too much\n\nseed 3; .*:\n8$"):
        campaign(tried, 400, seed=3, progress=Progress(label="numbers", total=400))


def test_what_is_never_given_back_is_found() -> None:
    before = Held(resident_bytes=10**8, descriptors=20, tasks=4, connections=0)
    assert kept(before, before) == ""
    for now in (
        Held(resident_bytes=3 * 10**8, descriptors=20, tasks=4, connections=0),
        Held(resident_bytes=10**8, descriptors=200, tasks=4, connections=0),
        Held(resident_bytes=10**8, descriptors=20, tasks=400, connections=0),
        Held(resident_bytes=10**8, descriptors=20, tasks=4, connections=40),
    ):
        assert kept(now, before)


def test_an_error_in_the_log_is_found(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text('{"level":"warning","message":"\\"level\\":\\"error\\""}\n')
    check_log(log)
    log.write_text('{"level":"error","message":"the gateway failed"}\n')
    with pytest.raises(Fault, match="the gateway failed"):
        check_log(log)


@contextmanager
def _answering(answers: bytes, first: Callable[[], None] = lambda: None) -> Generator[int]:
    """Listen, and answer one connection with these bytes whatever it sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(65_536)
                first()
                accepted.sendall(answers)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_request_line_with_more_spaces_is_read_as_the_gateway_reads_it() -> None:
    line = b"POST   /a  HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
    reading = read_requests(line + line)
    assert [(sent.method, sent.target, sent.body) for sent in reading.requests] == [
        (b"POST", b"/a", b"x")
    ] * 2
    assert reading.whole
