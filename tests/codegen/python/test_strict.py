"""Answers that hold what the description does not know: kept by default, refused on request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from dhatu_client import DecodingError, DhatuAPI, SyncDhatuAPI

JOB = {
    "id": "job_1",
    "state": "running",
    "documents_total": 3,
    "documents_added": 1,
    "documents_unchanged": 0,
    "created_at": "2026-01-01T00:00:00Z",
}
SPAN = {"document": 0, "start": 0, "end": 1}
PATTERN = {"kind": "repeat", "text": "ab", "count": 2, "covered_characters": 4, "positions": [SPAN]}
REPORT: dict[str, Any] = {
    "patterns": [PATTERN],
    "totals": {"repeat": 1, "ngram": 0, "dhatu": 0},
    "documents": 1,
    "characters": 4,
    "tokens": 2,
}


def client(body: object, **options: Any) -> SyncDhatuAPI:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return SyncDhatuAPI(base_url="https://api.test", http_client=http, max_retries=0, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": "paused"}, "/state"),
        ({"documents_total": "3"}, "/documents_total"),
        ({"documents_added": True}, "/documents_added"),
    ],
)
def test_an_unknown_value_or_type_is_refused_on_request_only(change: dict[str, Any], message: str) -> None:
    body = JOB | change
    kept = client(body).corpus.get_job("job_1")
    assert kept.state == body["state"]
    with pytest.raises(DecodingError, match=message):
        client(body, strict=True).corpus.get_job("job_1")
    with pytest.raises(DecodingError, match=message):
        client(body).with_options(strict=True).corpus.get_job("job_1")
    with pytest.raises(DecodingError, match=message):
        client(body).corpus.get_job("job_1", strict=True)
    assert client(body, strict=True).corpus.get_job("job_1", strict=False).state == body["state"]


def test_an_unknown_variant_is_refused_on_request_only() -> None:
    body = REPORT | {"patterns": [PATTERN, {"kind": "melody", "notes": 3}]}
    kept = client(body).analysis.detect_patterns("abab")
    assert [type(pattern).__name__ for pattern in kept.patterns] == ["RepeatPattern", "UnknownPattern"]
    with pytest.raises(DecodingError, match="patterns/1"):
        client(body).analysis.detect_patterns("abab", strict=True)


def test_what_is_described_passes_and_unknown_members_are_kept() -> None:
    report = client(REPORT | {"later": 1}, strict=True).analysis.detect_patterns("abab")
    assert (report.documents, report.model_extra) == (1, {"later": 1})
    assert client(JOB, strict=True).corpus.get_job("job_1").state == "running"


async def test_the_async_client_takes_it_too() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=JOB | {"state": "paused"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with DhatuAPI(base_url="https://api.test", http_client=http, strict=True) as api:
        with pytest.raises(DecodingError, match="/state"):
            await api.corpus.get_job("job_1")
