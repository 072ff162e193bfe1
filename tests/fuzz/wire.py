"""Plays an attempt over a socket and holds what follows against what must never happen."""

from __future__ import annotations

import itertools
import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .draft import Attempt
from .held import Fault
from .reading import Answers, Reading, Sent, read_requests
from .strict_service import Asked, Log

ANSWERED_WITHIN_S = 60.0
"""Longer than the gateway gives a request of these operations once it is complete, also on a busy machine."""
_QUIET_S = 0.02
"""How long nothing comes before a client that has sent only a part says that there is no more."""
_TIME_LEFT = b"x-dhatu-timeout-ms"
"""Who says that no time is left is told so, with 504."""
_RESET = struct.pack("ii", 1, 0)
_SLICE_S = 0.01


class WireFuzzer:
    """A client of one gateway whose services read strictly."""

    def __init__(self, port: int, log: Log) -> None:
        self.last = Attempt(pieces=(), requests=0, ending="wait")
        self._port = port
        self._log = log
        # An address of its own for each, so that the service can tell for whom it was asked.
        self._addresses = itertools.cycle(f"127.0.{n // 250}.{n % 250 + 1}" for n in range(1, 2_000))

    def play(self, attempt: Attempt, seed: int) -> Iterator[int]:
        """Play an attempt and its variants; yields how many requests each was.

        Raises `Fault` where the gateway does something that it must not do; `last` is what it did it on.
        """
        for self.last in attempt.variants(seed):
            self._play(self.last)
            yield self.last.requests

    def _play(self, attempt: Attempt) -> None:
        address = next(self._addresses) if sys.platform == "linux" else "127.0.0.1"
        self._log.of(address)
        reading = read_requests(attempt.data)
        answers = Answers(tuple(sent.method for sent in reading.requests))
        with self._connected(address) as client:
            if attempt.ending in ("close", "reset"):
                self._write(client, attempt)
                if attempt.ending == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            else:
                self._converse(client, attempt, reading, answers)
        self._check_answers(answers, attempt)
        self._check_service(self._log.of(address), reading)

    @contextmanager
    def _connected(self, address: str) -> Iterator[socket.socket]:
        with socket.socket() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.bind((address, 0))
            client.settimeout(ANSWERED_WITHIN_S)
            client.connect(("127.0.0.1", self._port))
            yield client

    def _write(self, client: socket.socket, attempt: Attempt) -> None:
        try:
            for piece in attempt.pieces:
                client.sendall(piece)
        except TimeoutError as error:
            raise Fault(f"nobody reads the request in {ANSWERED_WITHIN_S} s") from error
        except OSError:
            return  # it has been refused before it was complete

    def _converse(self, client: socket.socket, attempt: Attempt, reading: Reading, answers: Answers) -> None:
        self._write(client, attempt)
        half_closed = attempt.ending == "half-close" and _no_more(client)
        expected = len(reading.requests)
        give_up_s = time.monotonic() + ANSWERED_WITHIN_S
        while True:
            answered = len(answers.complete) >= expected and not answers.unfinished
            if answered and not half_closed and reading.whole:
                half_closed = _no_more(client)
            client.settimeout(_QUIET_S)
            try:
                data = client.recv(65_536)
            except TimeoutError:
                if time.monotonic() > give_up_s:
                    got = len(answers.complete)
                    raise Fault(f"{got} of {expected} answers in {ANSWERED_WITHIN_S} s, and no end") from None
                half_closed = half_closed or (answered and _no_more(client))
                continue
            except ConnectionError:
                return
            if not data:
                if attempt.ending == "wait":
                    answers.finish(may_lack_body=reading.ends_with_head)
                return
            answers.feed(data)

    def _check_answers(self, answers: Answers, attempt: Attempt) -> None:
        hurried = _TIME_LEFT in attempt.data.lower()
        for answer in answers.complete:
            if answer.status >= 500 and not (hurried and answer.status == 504):
                raise Fault(f"answered with {answer.status}: {answer.body[:2000]!r}")
            if answer.fields.get(b"content-type") == b"application/problem+json" and answer.body:
                problem = json.loads(answer.body)
                if problem["status"] != answer.status:
                    raise Fault(f"status {answer.status}, but the problem says {problem!r}")

    def _check_service(self, asked: list[Asked], reading: Reading) -> None:
        """What the service was asked must be what was sent, in this order; some may have been refused."""
        if self._log.faults:
            faults, self._log.faults = self._log.faults, []
            raise Fault(f"a service that reads strictly could not read the gateway: {faults[0]}")
        sent = iter(reading.requests)
        for request in asked:
            if not any(_same(request, candidate) for candidate in sent):
                raise Fault(f"the service was asked what nobody sent: {request!r}")


def _same(asked: Asked, sent: Sent) -> bool:
    return asked.method == sent.method and (sent.coded or asked.body == sent.body)


def _no_more(client: socket.socket) -> bool:
    with suppress(OSError):
        client.shutdown(socket.SHUT_WR)
    return True
