"""Server-sent events and JSON Lines, cut into chunks at every place there is."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from dhatu_client._answers.sse import (
    EventDecoder,
    EventPayloads,
    LinePayloads,
    OversizedError,
    Payload,
    ServerSentEvent,
)
from hypothesis import example, given
from hypothesis import strategies as st


def decode(chunks: list[bytes]) -> list[ServerSentEvent]:
    decoder = EventDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def by_the_book(stream: bytes) -> list[ServerSentEvent]:
    """The standard's algorithm (WHATWG HTML, 9.2.6) word by word, over the whole stream at once."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", text)[:-1]  # what follows the last line end is not a line
    events: list[ServerSentEvent] = []
    data = event_type = last_id = ""
    retry_ms: int | None = None
    for line in lines:
        if line == "":
            if data != "":
                events.append(
                    ServerSentEvent(
                        event=event_type or "message", data=data[:-1], id=last_id, retry_ms=retry_ms
                    )
                )
            data = event_type = ""
            continue
        if line.startswith(":"):
            continue
        field, colon, value = line.partition(":")
        if colon and value.startswith(" "):
            value = value[1:]
        if field == "event":
            event_type = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            retry_ms = int(value)
    return events


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds)]


LINE = st.one_of(
    st.sampled_from(
        ["", "", "", "data", "data:", "data: ", "data:  x", ": hello", ":", "event: a", "event", "id: 1"]
    ),
    st.sampled_from(
        ["id", "id: a\0b", "retry: 10", "retry: -1", "retry: 1e3", "retry: ٣", "dat: x", " data: x"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(lambda text: f"data: {text}"),
)
STREAM = st.tuples(
    st.sampled_from(["", "\ufeff", "\ufeff\ufeff"]),
    st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r", "\r\n"])), max_size=12),
    st.sampled_from(["", "data: cut off", "data"]),
).map(lambda parts: (parts[0] + "".join(line + end for line, end in parts[1]) + parts[2]).encode())


@given(STREAM, st.lists(st.integers(0, 10_000), max_size=8))
@example(b"data: a\r\n\r\ndata: b\r\n\r\n", [8, 9, 10])
def test_events_do_not_depend_on_the_chunks(stream: bytes, places: list[int]) -> None:
    assert decode(cut(stream, places)) == by_the_book(stream)


@given(STREAM)
def test_a_byte_at_a_time_is_the_same(stream: bytes) -> None:
    assert decode([stream[index : index + 1] for index in range(len(stream))]) == by_the_book(stream)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_there_as_soon_as_its_last_line_ends(end: bytes) -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: now" + end) == []
    assert [event.data for event in decoder.feed(end[:1])] == ["now"]


def test_what_the_end_cuts_off_is_no_event() -> None:
    assert decode([b"data: whole\n\ndata: half\n"]) == [
        ServerSentEvent(event="message", data="whole", id="", retry_ms=None)
    ]


BOOK = (
    "\ufeffid: १\r\nevent: नाम\ndata: धातु\rdata:  😀\r\n\r\n: comment\n\ndata\n\nid\nretry: 10\r\n"
    "data: b\r\rid: x\0y\ndata:\n\n\n\rdata: lost"
).encode()


def test_every_pair_of_cuts_is_the_same() -> None:
    """Through the marks of the beginning, each character of many bytes and each end of a line."""
    expected = by_the_book(BOOK)
    assert len(expected) == 4
    for first in range(len(BOOK) + 1):
        for second in range(first, len(BOOK) + 1):
            assert decode([BOOK[:first], BOOK[first:second], BOOK[second:]]) == expected


@given(st.binary(max_size=60), st.lists(st.integers(0, 10_000), max_size=8))
def test_any_bytes_at_all_are_the_same(stream: bytes, places: list[int]) -> None:
    assert decode(cut(stream, places)) == by_the_book(stream)


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"data", b":", b" ", b"id", b"x", b"\xef\xbb\xbf"]), max_size=30)
)
def test_any_bytes_that_mean_something_are_the_same(pieces: list[bytes]) -> None:
    assert decode(pieces) == by_the_book(b"".join(pieces))


def test_a_long_line_in_tiny_chunks_costs_what_it_is_long() -> None:
    """Half a million chunks: copying what there is at each would move 125 GB."""
    decoder, lines = EventDecoder(), LinePayloads()
    for _ in range(500_000):
        decoder.feed(b"x")
        lines.feed(b"x")
    assert decoder.feed(b"\n\n") == []
    ((line, *_),) = lines.feed(b"\n")
    assert len(line) == 500_000


@pytest.mark.parametrize(
    "pieces",
    [[b"data: " + b"x" * 200], [b"x"] * 101, [b"data: " + b"x" * 40 + b"\n"] * 3, [b"data\n"] * 13],
    ids=["a line", "a line in pieces", "an event", "an event of empty lines"],
)
def test_no_line_and_no_event_fills_the_memory(pieces: list[bytes]) -> None:
    decoder = EventDecoder(max_bytes=100)
    for piece in pieces[:-1]:
        decoder.feed(piece)
    with pytest.raises(OversizedError, match="larger than 100 bytes"):
        decoder.feed(pieces[-1])


def test_many_events_are_no_large_one() -> None:
    decoder = EventDecoder(max_bytes=100)
    assert len(decoder.feed((b"data: " + b"x" * 80 + b"\n\n") * 10)) == 10


def test_a_name_holds_for_one_event_and_an_id_until_the_next() -> None:
    first, second = decode([b"event: tick\nid: 7\ndata: a\n\ndata: b\ndata: c\n\n"])
    assert (first.event, first.id, first.data) == ("tick", "7", "a")
    assert (second.event, second.id, second.data) == ("message", "7", "b\nc")


def test_a_retry_of_thousands_of_digits_is_ignored() -> None:
    (event,) = decode([b"retry: " + b"9" * 5000 + b"\ndata: x\n\n"])
    assert event.retry_ms is None


def test_events_without_data_hold_no_item() -> None:
    payloads = EventPayloads()
    assert payloads.feed(b'data:\n\nevent: ping\n\ndata: {"a": 1}\n\n') == [Payload(b'{"a": 1}')]
    assert payloads.finish() == []


WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ITEMS = st.lists(st.dictionaries(WORD, st.integers() | WORD, max_size=2), max_size=6)


@given(
    ITEMS,
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.booleans(),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_lines_do_not_depend_on_the_chunks(
    items: list[dict[str, object]], end: str, ended: bool, places: list[int]
) -> None:
    text = end.join(json.dumps(item, ensure_ascii=False) for item in items) + (end if ended else "")
    payloads = LinePayloads()
    lines = [line for chunk in cut(text.encode(), places) for line in payloads.feed(chunk)]
    assert [json.loads(line.data) for line in lines + payloads.finish()] == items


def test_a_carriage_return_within_a_line_is_white_space() -> None:
    payloads = LinePayloads()
    (line,) = payloads.feed(b'\xef\xbb\xbf{"a":\r1}\r\n')
    assert json.loads(line.data) == {"a": 1}


def test_no_line_of_json_fills_the_memory() -> None:
    payloads = LinePayloads(max_bytes=10)
    with pytest.raises(OversizedError):
        payloads.feed(b"[1, 2, 3, 4]")
