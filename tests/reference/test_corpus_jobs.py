from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from dhatu_reference.corpus.app import create_app
from dhatu_reference.corpus.documents import DocumentInput
from dhatu_reference.corpus.jobs import REMEMBERED_JOBS, Jobs
from dhatu_reference.corpus.seed import seed_documents
from dhatu_reference.corpus.store import CorpusDatabaseError, Store
from reference.contract import client_of

CORPUS = "/api/v1/corpus"
DOCUMENT = {"title": "Gītā 2.47", "text": "karmaṇy evādhikāras te", "language": "sa-Latn"}


async def test_a_job_that_fails_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> tuple[int, int]:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Store, "index_staged", refuse)
    async with client_of(create_app(), "corpus") as client:
        accepted = await client.post(f"{CORPUS}/collect", json={"documents": [DOCUMENT]})
        await client.get(accepted.headers["location"] + "/events")
        job = (await client.get(accepted.headers["location"])).json()
    assert (job["state"], job["documents_added"]) == ("failed", 0)
    assert "disk" not in job["error"]
    assert "disk I/O error" in caplog.text


async def test_silence_is_reported_to_keep_the_connection() -> None:
    store = Store()
    jobs = Jobs(store)
    store.stage("batch", [DocumentInput.model_validate(DOCUMENT)])
    events = [event async for event in jobs.start("batch", 1).events(1, keep_alive_s=0)]
    assert events[0] is None
    assert events[-1] is not None
    assert events[-1].state == "succeeded"
    await jobs.close()
    store.close()


async def test_old_jobs_are_forgotten_once_they_are_finished() -> None:
    store = Store()
    jobs = Jobs(store)
    started = [jobs.start("nothing", 0) for _ in range(REMEMBERED_JOBS + 1)]
    assert jobs.get(started[0].id) is started[0]
    async for _ in started[-1].events(0, keep_alive_s=60):
        pass
    newest = jobs.start("nothing", 0)
    assert jobs.get(started[0].id) is jobs.get(started[1].id) is None
    assert jobs.get(started[2].id) is started[2]
    assert jobs.get(newest.id) is newest
    await jobs.close()
    store.close()


async def test_closing_stops_what_is_running() -> None:
    store = Store()
    jobs = Jobs(store)
    store.stage("batch", [DocumentInput.model_validate(DOCUMENT)])
    job = jobs.start("batch", 1)
    await jobs.close()
    assert not job.last.final
    store.close()


async def test_the_seed_fills_only_an_empty_database(tmp_path: Path) -> None:
    path = str(tmp_path / "corpus.sqlite3")
    async with client_of(create_app(path), "corpus") as client:
        found = (await client.get(f"{CORPUS}/search", params={"q": "dhātu"})).json()["documents"]
        await client.delete(f"{CORPUS}/documents/{found[0]['id']}")
    async with client_of(create_app(path), "corpus") as client:
        assert (await client.get(f"{CORPUS}/stats")).json()["documents"] == len(seed_documents()) - 1


async def test_the_environment_names_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "named.sqlite3"
    monkeypatch.setenv("CORPUS_DATABASE", str(path))
    async with client_of(create_app(), "corpus"):
        assert path.exists()


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusDatabaseError, match="missing"):
        create_app(str(tmp_path / "missing" / "corpus.sqlite3"))
    text = tmp_path / "notes.txt"
    text.write_text("this is no database, but it is long enough to be looked at " * 20)
    with pytest.raises(CorpusDatabaseError, match=r"notes\.txt"):
        create_app(str(text))


def test_the_seed_is_what_it_says() -> None:
    documents = seed_documents()
    assert len({document.id for document in documents}) == len(documents) >= 40
    assert {document.language for document in documents} == {"en", "sa-Latn", "sa-Deva"}
    for document in documents:
        assert 55 <= len(document.text.split()) <= 150, document.title
