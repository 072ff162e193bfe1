"""The Python SDK against the real gateway and services: what a user does on the first day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import dhatu_client
import pytest
from dhatu_client import DhatuAPI, SyncDhatuAPI, inputs
from dhatu_reference.stack import Stack

Algorithm: TypeAlias = Literal["zstd", "brotli", "gzip", "lzma"]
TEXT = "gacchati gacchataḥ gacchanti " * 40


async def test_the_readme_example(base_url: str, api_key: str) -> None:
    client = DhatuAPI(base_url=base_url, api_key=api_key)
    result = await client.compress("text to compress")
    documents = await client.corpus.search("sanskrit linguistics")
    patterns = await client.analysis.detect_patterns(TEXT)
    await client.aclose()

    assert result.original_bytes == len("text to compress")
    assert documents.total > 0
    assert documents.documents[0].score >= documents.documents[-1].score
    assert {pattern.kind for pattern in patterns.patterns} >= {"repeat", "dhatu"}


@pytest.mark.parametrize("algorithm", get_args(Algorithm))
async def test_text_survives_the_round_trip(client: DhatuAPI, algorithm: Algorithm) -> None:
    squeezed = await client.compress(TEXT, algorithm=algorithm, level=5)
    again = await client.decompress(squeezed.data)
    assert (squeezed.algorithm, again.algorithm) == (algorithm, algorithm)
    assert squeezed.compressed_bytes < squeezed.original_bytes
    assert again.text == TEXT


async def test_bytes_are_streamed_both_ways(client: DhatuAPI) -> None:
    block = bytes(range(256)) * 1024
    count = 64  # 16 MiB in all, far beyond any buffer on the way

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield block

    async with await client.compress(content=blocks(), algorithm="zstd") as squeezed:
        compressed = await squeezed.read()
    received = 0
    async with await client.decompress(content=compressed) as plain:
        async for chunk in plain:
            start = received % len(block)
            assert chunk == (block * (len(chunk) // len(block) + 2))[start : start + len(chunk)]
            received += len(chunk)
    assert received == count * len(block)


async def test_a_collected_document_is_found_read_and_deleted(client: DhatuAPI) -> None:
    title = "On the quokka"
    job = await client.corpus.collect(
        [{"title": title, "text": "No grammarian has written about quokkas.", "language": "en"}]
    )
    async with await client.corpus.job_events(job.id) as events:
        states = [event.state async for event in events]
    assert states[-1] == "succeeded"

    page = await client.corpus.search("quokkas", language="en")
    assert [hit.title for hit in page.documents] == [title]
    document = await client.corpus.read(page.documents[0].id)
    assert [(line.number, line.text[:13]) for line in document.lines] == [(1, "No grammarian")]

    await client.corpus.delete_document(document.id)
    with pytest.raises(dhatu_client.NotFoundError):
        await client.corpus.read(document.id)


async def test_both_versions_of_an_operation_are_served_and_the_old_one_says_so(client: DhatuAPI) -> None:
    hit = (await client.corpus.search("sanskrit")).documents[0]
    with pytest.warns(DeprecationWarning, match="get_document"):
        old = await client.corpus.with_raw_response.get_document(hit.id)
    new = await client.corpus.read(hit.id)
    assert "\n".join(line.text for line in new.lines) == old.parse().text.rstrip("\n")
    successor = f'</api/v2/corpus/documents/{hit.id}>; rel="successor-version"'
    assert (old.headers["link"], old.headers["sunset"]) == (successor, "Fri, 31 Dec 2027 00:00:00 GMT")


async def test_one_idempotency_key_starts_one_job(client: DhatuAPI) -> None:
    documents: list[inputs.DocumentInput] = [{"title": "On keys", "text": "One key.", "language": "en"}]
    jobs = await asyncio.gather(
        *(client.corpus.collect(documents, idempotency_key="once") for _ in range(4)),
        client.corpus.collect(documents),
    )
    assert len({job.id for job in jobs[:4]}) == 1
    assert jobs[4].id != jobs[0].id
    with pytest.raises(dhatu_client.UnprocessableEntityError, match="another request"):
        await client.corpus.collect([{**documents[0], "title": "Other"}], idempotency_key="once")


async def test_a_file_is_uploaded(client: DhatuAPI, tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text("satyam eva jayate nānṛtam, said the wombat", encoding="utf-8")
    job = await client.corpus.collect(file=path, language="sa-Latn", title="A wombat's verse")
    async with await client.corpus.job_events(job.id) as events:
        assert [event.state async for event in events][-1] == "succeeded"
    assert (await client.corpus.search("wombat")).documents[0].title == "A wombat's verse"


async def test_pages_follow_one_another_without_a_gap(client: DhatuAPI) -> None:
    first = await client.corpus.search("root*", limit=3)
    assert first.next_cursor is not None
    second = await client.corpus.search("root*", limit=3, cursor=first.next_cursor)
    ids = [hit.id for page in (first, second) for hit in page.documents]
    assert len(ids) == len(set(ids)) > 3


@pytest.mark.parametrize(("format_", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
async def test_a_picture_comes_in_the_format_that_was_asked_for(
    client: DhatuAPI, format_: Literal["svg", "png"], start: bytes
) -> None:
    async with await client.analysis.visualize_patterns(TEXT, format=format_) as picture:
        assert (await picture.read()).startswith(start)


async def test_insights_come_at_once_or_one_by_one(client: DhatuAPI) -> None:
    report = await client.analysis.generate_insights(TEXT)
    async with await client.analysis.generate_insights(TEXT, stream=True) as events:
        streamed = [event async for event in events]
    assert isinstance(streamed[-1], dhatu_client.models.InsightsDone)
    assert streamed[-1].insights == len(streamed) - 1 == len(report.insights) > 0


async def test_no_key_is_refused(base_url: str) -> None:
    async with DhatuAPI(base_url=base_url, api_key="") as stranger:
        with pytest.raises(dhatu_client.AuthenticationError) as refusal:
            await stranger.corpus.stats()
    assert refusal.value.request_id


async def test_a_missing_scope_is_named(stack: Stack, base_url: str) -> None:
    key = stack.create_key("reader", ("corpus:read",))
    async with DhatuAPI(base_url=base_url, api_key=key) as reader:
        with pytest.raises(dhatu_client.PermissionDeniedError, match="compression:use"):
            await reader.compress("text")


async def test_every_refused_part_of_a_body_is_named(client: DhatuAPI) -> None:
    with pytest.raises(dhatu_client.BadRequestError, match="/colour") as refusal:
        await client.compress("text", extra_body={"colour": "red", "text": 7})
    assert {(error.location, error.name) for error in refusal.value.errors} == {
        ("body", "/text"),
        ("body", "/colour"),
    }
    with pytest.raises(dhatu_client.BadRequestError, match="level"):
        await client.compress("text", level=99)


async def test_the_limit_is_met_and_its_retry_after_honoured(base_url: str, api_key: str) -> None:
    # By default a client would wait by itself before it is refused.
    impatient = dhatu_client.Resilience(pacing=False)
    async with DhatuAPI(base_url=base_url, api_key=api_key, resilience=impatient) as client:

        async def hurry() -> None:
            for _ in range(20):
                await client.corpus.stats(max_retries=0)

        with pytest.raises(dhatu_client.RateLimitedError) as refusal:
            await hurry()
        assert refusal.value.retry_after_s is not None
        assert 0 < refusal.value.retry_after_s <= 2
        assert (await client.corpus.stats(max_retries=2)).documents > 0


async def test_a_search_crosses_its_pages_and_a_job_is_waited_for(client: DhatuAPI) -> None:
    words = "vindhyaḥ parvataḥ"
    documents: list[inputs.DocumentInput] = [
        {"title": f"note {number}", "text": words, "language": "sa-Latn"} for number in range(3)
    ]
    job = await client.corpus.collect(documents)
    seen: list[str] = []
    done = await job.wait(timeout_s=30, on_progress=lambda now: seen.append(now.state))
    assert (done.state, done.documents_added, seen[-1:]) == ("succeeded", 3, ["succeeded"] if seen else [])
    found = [hit.title async for hit in client.corpus.search("vindhya*", limit=1)]
    assert sorted(found) == ["note 0", "note 1", "note 2"]
    raw = await client.corpus.with_raw_response.search("vindhya*", limit=1)
    assert (raw.status, raw.attempts, raw.parse().total) == (200, 1, 3)
    async with client.corpus.with_streaming_response.search("vindhya*") as response:
        assert (await response.parse()).total == 3


async def test_a_key_buys_a_token_and_a_refresh_token_can_be_used_once(base_url: str, api_key: str) -> None:
    async with DhatuAPI(base_url=base_url) as anonymous:
        tokens = await anonymous.auth.token(grant_type="api_key", api_key=api_key)
        fresh = await anonymous.auth.refresh(tokens.refresh_token)
        async with DhatuAPI(base_url=base_url, token=fresh.access_token) as holder:
            assert (await holder.corpus.stats()).documents > 0
        with pytest.raises(dhatu_client.AuthenticationError):
            await anonymous.auth.refresh(tokens.refresh_token)


async def test_a_revoked_key_opens_nothing(client: DhatuAPI, base_url: str) -> None:
    created = await client.api_keys.create("short-lived", scopes=["corpus:read"])
    async with DhatuAPI(base_url=base_url, api_key=created.key) as holder:
        await holder.corpus.stats()
        await client.api_keys.revoke(created.id)
        with pytest.raises(dhatu_client.AuthenticationError):
            await holder.corpus.stats()


async def test_the_dashboard_sees_the_platform(client: DhatuAPI) -> None:
    await client.compress("counted")
    overview = await client.dashboard.overview()
    assert {service.state for service in overview.services} == {"up"}
    usage = await client.dashboard.usage()
    assert "compress" in {group.name for group in usage.groups}
    topology = await client.dashboard.topology()
    assert {"gateway", "corpus"} <= {node.id for node in topology.nodes}


async def test_many_calls_at_once(stack: Stack, base_url: str) -> None:
    async with DhatuAPI(base_url=base_url, api_key=stack.create_key("many")) as client:
        results = await asyncio.gather(*(client.compress(f"text {number}") for number in range(40)))
    assert [result.original_bytes for result in results] == [len(f"text {number}") for number in range(40)]


def test_the_sync_twin(base_url: str, api_key: str) -> None:
    with SyncDhatuAPI(base_url=base_url, api_key=api_key) as client:
        squeezed = client.compress(TEXT)
        assert client.decompress(squeezed.data).text == TEXT
        assert client.corpus.search("sandhi").total > 0
        with client.analysis.generate_insights(TEXT, stream=True) as events:
            assert len(list(events)) > 1
