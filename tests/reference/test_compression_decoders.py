from __future__ import annotations

import pytest
from dhatu_reference.compression.decoders import (
    CorruptDataError,
    LimitedDecoder,
    OutputTooLargeError,
    decompress,
    new_decoder,
    recognise,
)
from dhatu_reference.compression.encoders import ALGORITHMS, LEVELS, Algorithm, compress
from hypothesis import given, settings
from hypothesis import strategies as st

SEVERAL: tuple[Algorithm, ...] = ("zstd", "gzip", "lzma")  # a brotli stream stands alone
MAX_PIECE_BYTES = 18 << 20


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("level", range(9))
def test_every_level_round_trips(algorithm: Algorithm, level: int) -> None:
    data = b"evam eva " * 500
    assert decompress(algorithm, compress(algorithm, LEVELS[algorithm][level], data)) == data


@given(data=st.binary(max_size=2000), cut=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pieces_may_be_cut_anywhere(algorithm: Algorithm, data: bytes, cut: int) -> None:
    packed = compress(algorithm, LEVELS[algorithm][2], data)
    decoder = new_decoder(algorithm)
    output = b"".join(
        piece for start in range(0, len(packed), cut) for piece in decoder.decode(packed[start : start + cut])
    )
    decoder.finish()
    assert output == data


@given(data=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_any_bytes_are_decompressed_or_refused(algorithm: Algorithm, data: bytes) -> None:
    prefix = compress(algorithm, LEVELS[algorithm][0], b"")[:6]
    for attempt in (data, prefix + data):
        try:
            decompress(algorithm, attempt, max_output_bytes=1 << 20)
        except (CorruptDataError, OutputTooLargeError):
            continue


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bomb_gives_bounded_pieces_and_stops_at_the_limit(algorithm: Algorithm) -> None:
    bomb = compress(algorithm, LEVELS[algorithm][4], bytes(40 << 20))
    decoder = LimitedDecoder(new_decoder(algorithm), 20 << 20)
    sizes: list[int] = []
    with pytest.raises(OutputTooLargeError):
        sizes.extend(len(piece) for piece in decoder.decode(bomb))
    assert max(sizes) <= MAX_PIECE_BYTES
    assert sum(sizes) <= 20 << 20


@pytest.mark.parametrize("algorithm", SEVERAL)
def test_streams_may_follow_one_another(algorithm: Algorithm) -> None:
    packed = b"".join(compress(algorithm, LEVELS[algorithm][5], data) for data in (b"first ", b"", b"second"))
    assert decompress(algorithm, packed) == b"first second"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_follows_a_stream_is_refused(algorithm: Algorithm) -> None:
    packed = compress(algorithm, LEVELS[algorithm][5], b"hello") + b"and something else"
    with pytest.raises(CorruptDataError):
        decompress(algorithm, packed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_first_bytes_tell_the_format(algorithm: Algorithm) -> None:
    assert recognise(compress(algorithm, LEVELS[algorithm][5], b"hello")) == algorithm
