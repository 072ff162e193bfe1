"""The API without a network, as a test of somebody's program uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dhatu_client
import httpx
import pytest
from dhatu_client import DhatuAPI, SyncDhatuAPI, inputs, models
from dhatu_client.generated import operations
from dhatu_client.testing import CannedAnswerError, FakeAPI, FakeCall, fake_api

pytest_plugins = ["pytester"]

PAGE = {"total": 0, "documents": [], "next_cursor": None}


@pytest.fixture
def api() -> Iterator[FakeAPI]:
    with fake_api() as api:
        yield api


@pytest.fixture
def client() -> Iterator[SyncDhatuAPI]:
    with SyncDhatuAPI() as client:
        yield client


def test_an_answer_arrives_as_its_model_and_the_call_is_noted(api: FakeAPI, client: SyncDhatuAPI) -> None:
    api.corpus.search.returns(PAGE)
    assert client.corpus.search("sandhi", limit=5) == models.SearchPage.model_validate(PAGE)
    assert api.corpus.search.call.arguments == {"q": "sandhi", "limit": 5}
    assert [call.operation for call in api.calls] == ["corpus.search"]
    assert api.corpus.search.call.headers["accept"] == "application/json"


async def test_async_clients_are_served_as_well(api: FakeAPI) -> None:
    api.corpus.search.returns(models.SearchPage.model_validate(PAGE))
    async with DhatuAPI() as client:
        assert (await client.corpus.search("sandhi")).total == 0


async def test_clients_over_aiohttp_are_served_as_well(api: FakeAPI) -> None:
    api.corpus.search.returns(PAGE)
    api.compress.returns(b"\x28\xb5")
    async with DhatuAPI(http_client="aiohttp") as client:
        assert (await client.corpus.search("sandhi")).total == 0
        async with await client.compress(content=b"rama") as answer:
            assert await answer.read() == b"\x28\xb5"
    assert api.corpus.search.call.arguments == {"q": "sandhi"}


def test_an_operation_is_found_by_method_name_and_descriptor(api: FakeAPI, client: SyncDhatuAPI) -> None:
    ways: list[Any] = [
        client.corpus.search,
        "corpus.search",
        operations.CORPUS_SEARCH,
        DhatuAPI().corpus.search,
    ]
    for way in ways:
        api.on(way).returns(PAGE)
    client.corpus.search("sandhi")
    assert [len(api.on(way).calls) for way in ways] == [1, 1, 1, 1]
    assert api.on(client.compress).returns(b"...") is not None


def test_a_name_that_is_no_operation_is_an_attribute_error(api: FakeAPI) -> None:
    with pytest.raises(AttributeError, match=r"'corpus\.serach' is not an operation"):
        api.corpus.serach  # noqa: B018
    with pytest.raises(AttributeError, match="'copmress' is not an operation"):
        api.copmress  # noqa: B018
    with pytest.raises(LookupError, match="is not an operation of this API; there are compress, "):
        api.on(len)


def test_answers_come_in_order_and_the_last_one_stays(api: FakeAPI, client: SyncDhatuAPI) -> None:
    stats = {"documents": 1, "characters": 2, "languages": []}
    api.corpus.stats.refuses(503, retry_after_s=3).returns(stats)
    client.corpus.stats()
    client.corpus.stats()
    assert len(api.corpus.stats.calls) == 3
    assert api.waits_s == [3.0]


def test_waits_are_over_at_once_and_are_the_same_every_time(client: SyncDhatuAPI) -> None:
    def waits() -> list[float]:
        with fake_api() as api, SyncDhatuAPI() as client:
            api.corpus.stats.refuses(503)
            with pytest.raises(dhatu_client.ServerError):
                client.corpus.stats()
            return api.waits_s

    assert len(waits()) == 2
    assert waits() == waits()


def test_a_refusal_is_a_problem(api: FakeAPI, client: SyncDhatuAPI) -> None:
    api.corpus.read.refuses(404, "No document has the id x.", code="gone", headers={"X-Request-Id": "r1"})
    with pytest.raises(dhatu_client.NotFoundError) as caught:
        client.corpus.read("x")
    assert caught.value.problem.detail == "No document has the id x."
    assert caught.value.request_id == "r1"
    assert api.corpus.read.call.arguments == {"id": "x"}


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("connect", dhatu_client.ConnectionFailedError),
        ("connect_timeout", dhatu_client.ConnectTimeoutError),
        ("lost", dhatu_client.ConnectionLostError),
        ("timeout", dhatu_client.CallTimeoutError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
def test_failures_are_those_of_a_network(
    how: Any, error: type[Exception], api: FakeAPI, client: SyncDhatuAPI
) -> None:
    api.corpus.stats.fails(how)
    with pytest.raises(error):
        client.corpus.stats(max_retries=0)


def test_a_failure_that_does_not_exist_is_refused(api: FakeAPI) -> None:
    with pytest.raises(CannedAnswerError, match="'sulk' is no failure; there are connect, "):
        api.corpus.stats.fails("sulk")


def test_an_answer_that_the_operation_never_gives_is_refused_with_its_place(api: FakeAPI) -> None:
    with pytest.raises(CannedAnswerError, match=r"corpus\.search answers with SearchPage, .* /total: "):
        api.corpus.search.returns({**PAGE, "total": "many"})
    with pytest.raises(
        CannedAnswerError, match="never answers 200 with nothing; it answers 200 application/json"
    ):
        api.corpus.search.returns()
    with pytest.raises(CannedAnswerError, match="never answers 201 with a dict"):
        api.corpus.search.returns(PAGE, status=201)
    with pytest.raises(CannedAnswerError, match="never answers 200 in text/csv"):
        api.corpus.search.returns(PAGE, media_type="text/csv")
    with pytest.raises(CannedAnswerError, match="never answers 200 with a stream"):
        api.corpus.search.returns(stream=[PAGE])
    with pytest.raises(CannedAnswerError, match="204 refuses nothing"):
        api.corpus.delete_document.refuses(204)


def test_a_newer_server_can_be_played(api: FakeAPI, client: SyncDhatuAPI) -> None:
    counts = {"documents_total": 1, "documents_added": 0, "documents_unchanged": 0}
    job = {"id": "j", "state": "paused", "created_at": "2026-01-01T00:00:00Z", **counts}
    with pytest.raises(CannedAnswerError, match="/state"):
        api.corpus.get_job.returns(job)
    api.corpus.get_job.returns(job, strict=False)
    assert client.corpus.get_job("j").state == "paused"


def test_what_was_not_scripted_fails_the_test(api: FakeAPI, client: SyncDhatuAPI) -> None:
    with pytest.raises(AssertionError, match=r"never said api\.corpus\.stats\.returns"):
        client.corpus.stats()
    with pytest.raises(AssertionError, match="GET /nothing is no operation of this API"):
        httpx.get("https://api.dhatu.dev/nothing")
    with pytest.raises(AssertionError, match=r"corpus\.search was called 0 times, not once"):
        api.corpus.search.call  # noqa: B018


def test_an_answer_can_follow_from_the_call(api: FakeAPI, client: SyncDhatuAPI) -> None:
    def answer(call: FakeCall) -> object:
        return {**PAGE, "total": len(str(call.arguments["q"]))}

    api.corpus.search.answers(answer)
    assert client.corpus.search("sandhi").total == 6


def test_events_arrive_one_by_one_and_may_break_off(api: FakeAPI, client: SyncDhatuAPI) -> None:
    events = api.on(client.corpus.job_events).returns(stream=[event(1), event(2), ConnectionError("cut")])
    seen: list[int] = []
    with client.corpus.job_events("j1") as stream, pytest.raises(dhatu_client.ConnectionLostError):
        seen.extend(item.sequence for item in stream)
    assert seen == [1, 2]
    assert events.call.arguments == {"job_id": "j1"}
    with pytest.raises(CannedAnswerError, match="/sequence: "):
        events.returns(stream=[{**event(1), "sequence": "first"}])


def event(sequence: int) -> dict[str, object]:
    counts = {"documents_total": 2, "documents_added": sequence, "documents_unchanged": 0}
    return {"sequence": sequence, "job_id": "j1", "state": "running", **counts}


def test_bytes_go_both_ways(api: FakeAPI, client: SyncDhatuAPI, tmp_path: Path) -> None:
    api.compress.returns(b"\x28\xb5", headers={"X-Dhatu-Algorithm": "zstd"})
    (tmp_path / "notes.txt").write_bytes(b"rama")
    with client.compress(content=tmp_path / "notes.txt", algorithm="zstd") as answer:
        assert answer.media_type == "application/octet-stream"
        assert answer.read() == b"\x28\xb5"
    assert api.compress.call.arguments == {"content": b"rama", "algorithm": "zstd"}


def test_parts_and_lines_are_read_back(api: FakeAPI, client: SyncDhatuAPI) -> None:
    counts = {"documents_total": 1, "documents_added": 0, "documents_unchanged": 0}
    job = {"id": "j", "state": "queued", "created_at": "2026-01-01T00:00:00Z", **counts}
    api.corpus.collect.returns(job, status=202)
    client.corpus.collect(file=b"rama", language="sa")
    first: inputs.DocumentInput = {"title": "a", "text": "b", "language": "und"}
    second: inputs.DocumentInput = {"title": "c", "text": "d", "language": "sa"}
    client.corpus.collect(content=[first, second])
    client.corpus.collect([first])
    assert [call.arguments for call in api.corpus.collect.calls] == [
        {"file": b"rama", "language": "sa"},
        {"content": [first, second]},
        {"documents": [first]},
    ]


def test_an_empty_answer_is_one(api: FakeAPI, client: SyncDhatuAPI) -> None:
    api.corpus.delete_document.returns()
    assert client.corpus.delete_document("x") is None  # type: ignore[func-returns-value]  # it is what is tested


def test_a_client_of_another_address_is_served_too(api: FakeAPI) -> None:
    api.corpus.search.returns(PAGE)
    with SyncDhatuAPI(base_url="http://127.0.0.1:1/behind/a/path", api_key="k") as client:
        client.corpus.search("sandhi")
    assert api.corpus.search.call.headers["x-api-key"] == "k"


def test_reset_forgets(api: FakeAPI, client: SyncDhatuAPI) -> None:
    api.corpus.search.returns(PAGE)
    client.corpus.search("sandhi")
    api.corpus.search.reset()
    assert api.corpus.search.calls == []
    assert repr(api.corpus.search) == "<FakeOperation corpus.search, 0 calls>"
    with pytest.raises(AssertionError, match="never said"):
        client.corpus.search("sandhi")


def test_afterwards_everything_is_as_it_was() -> None:
    from dhatu_client._client import ConfiguredClient

    before = vars(ConfiguredClient)["_surroundings"]
    with fake_api():
        assert vars(ConfiguredClient)["_surroundings"] is not before
    assert vars(ConfiguredClient)["_surroundings"] is before
    with fake_api(real_time=True):
        assert vars(ConfiguredClient)["_surroundings"] is before


def test_pytest_gives_it_as_a_fixture(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("pytest_plugins = ['dhatu_client.pytest_plugin']")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(
        """
        from dhatu_client import SyncDhatuAPI

        def test_it(fake_api):
            fake_api.corpus.search.returns({"total": 0, "documents": [], "next_cursor": None})
            with SyncDhatuAPI() as client:
                assert client.corpus.search("sandhi").total == 0
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist").assert_outcomes(passed=1)
