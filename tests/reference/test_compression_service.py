from __future__ import annotations

import random
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator
from itertools import chain

import httpx
import pytest
from dhatu_reference.compression.app import create_app
from dhatu_reference.compression.encoders import ALGORITHMS, DEFAULT_LEVELS, Algorithm, compress
from reference.contract import client_of

VERSE = "dharma-kṣetre kuru-kṣetre samavetā yuyutsavaḥ | māmakāḥ pāṇḍavāś caiva kim akurvata sañjaya || " * 20
BYTES = {"Content-Type": "application/octet-stream"}
NOISE = random.Random(1).randbytes(300_000)


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with client_of(create_app(), "compression") as client:
        yield client


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "auto"])
@pytest.mark.parametrize("text", [VERSE, "a", ""], ids=["verse", "letter", "nothing"])
async def test_text_comes_back_as_it_was(client: httpx.AsyncClient, algorithm: str, text: str) -> None:
    packed = await client.post("/api/v1/compress", params={"algorithm": algorithm}, json={"text": text})
    result = packed.json()
    assert result["original_bytes"] == len(text.encode())
    assert result["compressed_bytes"] == len(b64decode(result["data"]))
    assert packed.headers["X-Dhatu-Algorithm"] == result["algorithm"]

    unpacked = await client.post("/api/v1/decompress", json={"data": result["data"]})
    assert unpacked.json()["text"] == text
    assert unpacked.json()["algorithm"] == result["algorithm"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("data", [VERSE.encode(), NOISE, b""], ids=["verse", "noise", "nothing"])
async def test_bytes_come_back_as_they_were(client: httpx.AsyncClient, algorithm: str, data: bytes) -> None:
    packed = await client.post(
        "/api/v1/compress", params={"algorithm": algorithm}, content=data, headers=BYTES
    )
    assert packed.headers["X-Dhatu-Algorithm"] == algorithm
    unpacked = await client.post("/api/v1/decompress", content=packed.content, headers=BYTES)
    assert unpacked.content == data
    assert unpacked.headers["X-Dhatu-Algorithm"] == algorithm


async def test_auto_gives_the_smallest_text(client: httpx.AsyncClient) -> None:
    sizes = {
        algorithm: len(compress(algorithm, DEFAULT_LEVELS[algorithm], VERSE.encode()))
        for algorithm in ALGORITHMS
    }
    response = await client.post("/api/v1/compress", json={"text": VERSE})
    assert response.json()["compressed_bytes"] == min(sizes.values())
    assert sizes[response.json()["algorithm"]] == min(sizes.values())


async def test_auto_gives_zstd_for_a_stream(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/compress", content=NOISE, headers=BYTES)
    assert response.headers["X-Dhatu-Algorithm"] == "zstd"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_level_9_is_smaller_than_level_1(client: httpx.AsyncClient, algorithm: str) -> None:
    text = " ".join(chain.from_iterable((str(n), str(n * n), VERSE[n : n + 9]) for n in range(900)))
    sizes = [
        (
            await client.post(
                "/api/v1/compress", params={"algorithm": algorithm, "level": level}, json={"text": text}
            )
        ).json()["compressed_bytes"]
        for level in (1, 9)
    ]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_damaged_data_is_refused(client: httpx.AsyncClient, algorithm: Algorithm) -> None:
    data = bytearray(compress(algorithm, DEFAULT_LEVELS[algorithm], VERSE.encode()))
    # Brotli has no checksum: only what breaks its structure is noticed, such as a run of ones.
    damaged = slice(20, 60) if algorithm == "brotli" else slice(len(data) // 2, len(data) // 2 + 1)
    data[damaged] = b"\xff" * len(data[damaged])
    response = await client.post(
        "/api/v1/decompress", params={"algorithm": algorithm}, content=bytes(data), headers=BYTES
    )
    assert response.status_code == 400
    assert algorithm in response.json()["detail"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_truncated_data_is_refused(client: httpx.AsyncClient, algorithm: Algorithm) -> None:
    data = compress(algorithm, DEFAULT_LEVELS[algorithm], VERSE.encode())[:-3]
    for sent in (
        await client.post("/api/v1/decompress", content=data, headers=BYTES),
        await client.post("/api/v1/decompress", json={"data": b64encode(data).decode()}),
    ):
        assert sent.status_code == 400
        assert sent.json()["detail"] == f"The data ends too early to be a whole {algorithm} stream."


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_wrong_algorithm_is_refused(client: httpx.AsyncClient, algorithm: Algorithm) -> None:
    other = "gzip" if algorithm == "zstd" else "zstd"
    data = compress(algorithm, DEFAULT_LEVELS[algorithm], VERSE.encode())
    response = await client.post(
        "/api/v1/decompress", params={"algorithm": other}, content=data, headers=BYTES
    )
    assert response.status_code == 400
    assert f"The data is not {other}" in response.json()["detail"]


@pytest.mark.parametrize("data", [b"", b"\x28", b"this was never compressed", b"\xfd7zXZ\x00", b"\x1f\x8b"])
async def test_what_was_never_compressed_is_refused(client: httpx.AsyncClient, data: bytes) -> None:
    response = await client.post("/api/v1/decompress", content=data, headers=BYTES)
    assert response.status_code == 400


async def test_a_bomb_is_refused(client: httpx.AsyncClient) -> None:
    bomb = compress("zstd", 1, bytes((256 << 20) + 1))
    assert len(bomb) < 100_000
    response = await client.post("/api/v1/decompress", json={"data": b64encode(bomb).decode()})
    assert response.status_code == 413
    assert response.json()["detail"] == "The data expands to more than 268435456 bytes."


async def test_bytes_that_are_no_text_are_refused_as_json(client: httpx.AsyncClient) -> None:
    data = b64encode(compress("gzip", 6, b"\xff\xfe")).decode()
    response = await client.post("/api/v1/decompress", json={"data": data})
    assert response.status_code == 400
    assert "application/octet-stream" in response.json()["detail"]


@pytest.mark.parametrize("data", ["!!!!", "YW=Jj", "YWJj!", "a", "ṣ"])
async def test_what_is_not_base64_is_refused(client: httpx.AsyncClient, data: str) -> None:
    response = await client.post("/api/v1/decompress", json={"data": data})
    assert response.status_code == 400
    assert response.json()["errors"][0]["name"] == "/data"


@pytest.mark.parametrize(
    ("query", "name"),
    [("algorithm=rar", "algorithm"), ("level=0", "level"), ("level=10", "level"), ("level=high", "level")],
)
async def test_odd_parameters_are_refused(client: httpx.AsyncClient, query: str, name: str) -> None:
    response = await client.post(f"/api/v1/compress?{query}", json={"text": "a"})
    assert response.status_code == 400
    assert [(error["location"], error["name"]) for error in response.json()["errors"]] == [("query", name)]


@pytest.mark.parametrize(
    ("body", "name"),
    [({}, "/text"), ({"text": 1}, "/text"), ({"text": None}, "/text"), ({"text": "a", "mode": 1}, "/mode")],
)
async def test_odd_bodies_are_refused(client: httpx.AsyncClient, body: object, name: str) -> None:
    for operation in ("compress", "analyze"):
        response = await client.post(f"/api/v1/{operation}", json=body)
        assert response.status_code == 400
        assert [error["name"] for error in response.json()["errors"]] == [name]


@pytest.mark.parametrize("operation", ["compress", "decompress", "analyze"])
@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
async def test_other_media_types_are_refused(
    client: httpx.AsyncClient, operation: str, headers: dict[str, str]
) -> None:
    response = await client.post(f"/api/v1/{operation}", content=b"hello", headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    ("data", "entropy", "distinct"),
    [(b"", 0.0, 0), (b"aaaa", 0.0, 1), (b"abab", 1.0, 2), (bytes(range(256)) * 40, 8.0, 256)],
)
async def test_entropy_is_measured(
    client: httpx.AsyncClient, data: bytes, entropy: float, distinct: int
) -> None:
    response = await client.post("/api/v1/analyze", content=data, headers=BYTES)
    analysis = response.json()
    assert (analysis["bytes"], analysis["distinct_bytes"]) == (len(data), distinct)
    assert analysis["entropy_bits_per_byte"] == entropy


async def test_every_algorithm_is_tried_and_the_smallest_recommended(client: httpx.AsyncClient) -> None:
    analysis = (await client.post("/api/v1/analyze", json={"text": VERSE})).json()
    sizes = [estimate["compressed_bytes"] for estimate in analysis["estimates"]]
    assert sorted(estimate["algorithm"] for estimate in analysis["estimates"]) == sorted(ALGORITHMS)
    assert sizes == sorted(sizes)
    assert analysis["recommended"] == analysis["estimates"][0]["algorithm"]
    assert {estimate["algorithm"]: estimate["level"] for estimate in analysis["estimates"]} == DEFAULT_LEVELS


async def test_text_and_its_bytes_measure_the_same(client: httpx.AsyncClient) -> None:
    as_text = (await client.post("/api/v1/analyze", json={"text": VERSE})).json()
    as_bytes = (await client.post("/api/v1/analyze", content=VERSE.encode(), headers=BYTES)).json()
    for analysis in (as_text, as_bytes):
        for estimate in analysis["estimates"]:
            del estimate["elapsed_ms"]
    assert as_text == as_bytes
