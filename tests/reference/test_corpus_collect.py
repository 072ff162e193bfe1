from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import pytest
from dhatu_reference.corpus import intake
from dhatu_reference.corpus.app import create_app
from dhatu_reference.corpus.seed import seed_documents
from reference.contract import client_of

CORPUS = "/api/v1/corpus"
COLLECT = f"{CORPUS}/collect"
LINES = {"Content-Type": "application/jsonl"}
DOCUMENT = {"title": "Gītā 2.47", "text": "karmaṇy evādhikāras te", "language": "sa-Latn"}


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with client_of(create_app(), "corpus") as client:
        yield client


def _documents(count: int) -> list[dict[str, str]]:
    return [{"title": f"Number {n}", "text": f"document frobozz {n}", "language": "en"} for n in range(count)]


def _lines(documents: list[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


async def _finished(client: httpx.AsyncClient, accepted: httpx.Response) -> dict[str, Any]:
    assert accepted.status_code == 202, accepted.text
    await client.get(accepted.headers["location"] + "/events")
    job: dict[str, Any] = (await client.get(accepted.headers["location"])).json()
    return job


def _events(response: httpx.Response) -> list[tuple[int, str, dict[str, Any]]]:
    found = re.findall(r"id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n", response.text)
    return [(int(identity), kind, json.loads(data)) for identity, kind, data in found]


async def test_json_documents_are_collected(client: httpx.AsyncClient) -> None:
    accepted = await client.post(COLLECT, json={"documents": [DOCUMENT | {"source": "A book"}]})
    assert accepted.json()["state"] == "queued"
    assert accepted.headers["location"] == f"{COLLECT}/{accepted.json()['id']}"
    job = await _finished(client, accepted)
    assert (job["state"], job["documents_total"], job["documents_added"]) == ("succeeded", 1, 1)

    hit = (await client.get(f"{CORPUS}/search", params={"q": "karmany"})).json()["documents"][0]
    document = (await client.get(f"{CORPUS}/documents/{hit['id']}")).json()
    assert document.pop("collected_at").endswith("Z")
    assert document == DOCUMENT | {"id": hit["id"], "source": "A book", "characters": 22}


async def test_version_2_numbers_the_lines_of_a_document(client: httpx.AsyncClient) -> None:
    text = "yadā yadā hi dharmasya\n\nglānir bhavati bhārata"
    await _finished(client, await client.post(COLLECT, json={"documents": [DOCUMENT | {"text": text}]}))
    hit = (await client.get(f"{CORPUS}/search", params={"q": "glanir"})).json()["documents"][0]
    document = (await client.get(f"/api/v2/corpus/documents/{hit['id']}")).json()
    assert [(line["number"], line["text"]) for line in document["lines"]] == [
        (1, "yadā yadā hi dharmasya"),
        (2, ""),
        (3, "glānir bhavati bhārata"),
    ]
    assert "text" not in document
    assert (await client.get("/api/v2/corpus/documents/none")).status_code == 404


async def test_lines_are_collected_wherever_they_are_cut(client: httpx.AsyncClient) -> None:
    body = b"\xef\xbb\xbf" + _lines(_documents(450)).replace(b"\n", b"\r\n\n").rstrip()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 997):
            yield body[start : start + 997]

    job = await _finished(client, await client.post(COLLECT, content=pieces(), headers=LINES))
    assert (job["documents_total"], job["documents_added"]) == (450, 450)


async def test_collecting_again_changes_nothing(client: httpx.AsyncClient) -> None:
    for added, unchanged in ((3, 0), (0, 3)):
        job = await _finished(client, await client.post(COLLECT, json={"documents": _documents(3)}))
        assert (job["documents_added"], job["documents_unchanged"]) == (added, unchanged)
    assert (await client.get(f"{CORPUS}/search", params={"q": "frobozz"})).json()["total"] == 3


@pytest.mark.parametrize(
    ("line", "name", "detail"),
    [
        (b'{"title": "B", "language": "en"}', "/text", "line 3: is required"),
        (b'{"title": "B", "text": "b", "language": "en", "mood": 1}', "/mood", "line 3: is not known here"),
        (b'{"title": "B", "text": "b", "language": "e n"}', "/language", "line 3: "),
        (b'{"title": "B", "text": ', "", "line 3: invalid JSON"),
        (b"[]", "", "line 3: "),
        (b"\xff\xfe", "", "line 3: invalid JSON"),
    ],
)
async def test_a_bad_line_is_named_and_nothing_is_collected(
    client: httpx.AsyncClient, line: bytes, name: str, detail: str
) -> None:
    response = await client.post(COLLECT, content=_lines([DOCUMENT]) + b"\n" + line, headers=LINES)
    assert response.status_code == 400
    assert response.json()["detail"] == "Line 3 was refused; see errors."
    error = response.json()["errors"][0]
    assert (error["location"], error["name"]) == ("body", name)
    assert error["detail"].startswith(detail)
    assert (await client.get(f"{CORPUS}/search", params={"q": "karmany"})).json()["total"] == 0


@pytest.mark.parametrize("terminated", [True, False])
async def test_an_endless_line_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, terminated: bool
) -> None:
    monkeypatch.setattr(intake, "_MAX_LINE_BYTES", 100)
    body = _lines([DOCUMENT])[:90] + b" " * 20 + (b"\n" if terminated else b"")
    response = await client.post(COLLECT, content=body, headers=LINES)
    assert response.status_code == 400
    assert response.json()["detail"] == "Line 1 has more than 100 bytes."


@pytest.mark.parametrize("body", [b"", b"\n\n  \n"])
async def test_lines_without_a_document_are_refused(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(COLLECT, content=body, headers=LINES)
    assert response.status_code == 400
    assert "no document" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, ["/documents"]),
        ({"documents": []}, ["/documents"]),
        ({"documents": [{}]}, ["/documents/0/title", "/documents/0/text", "/documents/0/language"]),
        ({"documents": [DOCUMENT, DOCUMENT | {"text": ""}]}, ["/documents/1/text"]),
        ({"documents": [DOCUMENT | {"language": "english!"}]}, ["/documents/0/language"]),
        ({"documents": [DOCUMENT | {"source": None}]}, ["/documents/0/source"]),
        ({"documents": [DOCUMENT], "mode": "fast"}, ["/mode"]),
        ({"documents": [DOCUMENT] * 1001}, ["/documents"]),
    ],
)
async def test_odd_documents_are_refused_by_name(
    client: httpx.AsyncClient, body: object, names: list[str]
) -> None:
    response = await client.post(COLLECT, json=body)
    assert response.status_code == 400
    assert [error["name"] for error in response.json()["errors"]] == names


async def test_other_media_types_are_refused(client: httpx.AsyncClient) -> None:
    for content_type in ("text/plain", "application/xml", ""):
        response = await client.post(COLLECT, content=b"x", headers={"Content-Type": content_type})
        assert response.status_code == 415


@pytest.mark.parametrize("content_type", ["application/json", "application/jsonl", "multipart/form-data"])
async def test_a_body_beyond_the_limit_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, content_type: str
) -> None:
    monkeypatch.setattr(intake, "MAX_BODY_BYTES", 1000)
    if content_type == "multipart/form-data":
        response = await client.post(COLLECT, files={"file": ("long.txt", b"a" * 1001)})
    else:
        body = _lines(_documents(100))
        response = await client.post(COLLECT, content=body, headers={"Content-Type": content_type})
    assert response.status_code == 413


async def test_a_text_file_becomes_a_document(client: httpx.AsyncClient) -> None:
    files = {"file": ("nadī.txt", "\ufeffnadī vahati plover".encode(), "text/plain")}
    await _finished(client, await client.post(COLLECT, files=files, data={"language": "SA-latn"}))
    hit = (await client.get(f"{CORPUS}/search", params={"q": "plover"})).json()["documents"][0]
    assert (hit["title"], hit["language"]) == ("nadī", "sa-Latn")
    assert hit["snippet"] == "nadī vahati <mark>plover</mark>"


async def test_a_text_file_needs_nothing_else(client: httpx.AsyncClient) -> None:
    await _finished(client, await client.post(COLLECT, files={"file": ("", b"plover", "text/plain")}))
    hit = (await client.get(f"{CORPUS}/search", params={"q": "plover"})).json()["documents"][0]
    assert (hit["title"], hit["language"]) == ("Untitled", "und")


@pytest.mark.parametrize(
    "part", [("many.jsonl", None), ("many", "application/jsonl"), ("MANY.JSONL", "text/plain; charset=utf-8")]
)
async def test_a_file_may_hold_lines(client: httpx.AsyncClient, part: tuple[str, str | None]) -> None:
    name, content_type = part
    file = (name, _lines(_documents(5)), content_type)
    job = await _finished(client, await client.post(COLLECT, files={"file": file}))
    assert job["documents_added"] == 5


async def test_a_bad_line_in_a_file_is_named(client: httpx.AsyncClient) -> None:
    file = ("many.jsonl", _lines(_documents(2)) + b"{}")
    response = await client.post(COLLECT, files={"file": file})
    assert response.json()["detail"] == "Line 3 was refused; see errors."


@pytest.mark.parametrize(
    ("files", "data", "name"),
    [
        ({"other": ("a.txt", b"a")}, {}, "/other"),
        ({"file": ("a.txt", b"a")}, {"mood": "x"}, "/mood"),
        ({"file": ("a.txt", b"\xff")}, {}, "/file"),
        ({"file": ("a.txt", b"")}, {}, "/file"),
        ({"file": ("a.txt", b"a" * 1_048_577)}, {}, "/file"),
        ({"file": ("a.txt", b"a")}, {"language": "!"}, "/language"),
        ({"file": ("a.txt", b"a")}, {"title": "t" * 301}, "/title"),
    ],
)
async def test_odd_uploads_are_refused_by_name(
    client: httpx.AsyncClient, files: Any, data: dict[str, str], name: str
) -> None:
    response = await client.post(COLLECT, files=files, data=data)
    assert response.status_code == 400
    assert response.json()["errors"][0]["name"] == name


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary="],
)
async def test_a_malformed_upload_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(COLLECT, content=b"nonsense", headers={"Content-Type": content_type})
    assert response.status_code == 400


async def test_an_upload_without_a_file_is_refused(client: httpx.AsyncClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nA title\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = await client.post(COLLECT, content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"] == [{"location": "body", "name": "/file", "detail": "is required"}]


async def test_events_tell_every_step_and_end(client: httpx.AsyncClient) -> None:
    accepted = await client.post(COLLECT, json={"documents": _documents(3)})
    response = await client.get(accepted.headers["location"] + "/events")
    events = _events(response)
    assert [identity for identity, _, _ in events] == [data["sequence"] for _, _, data in events]
    assert [identity for identity, _, _ in events] == list(range(1, len(events) + 1))
    assert [kind for _, kind, _ in events] == ["progress"] * (len(events) - 1) + ["finished"]
    assert [data["documents_added"] for _, _, data in events] == [0, 0, 1, 2, 3, 3]
    assert events[-1][2]["state"] == "succeeded"


async def test_events_go_on_after_the_last_that_was_seen(client: httpx.AsyncClient) -> None:
    accepted = await client.post(COLLECT, json={"documents": _documents(3)})
    location = accepted.headers["location"] + "/events"
    everything = _events(await client.get(location))
    for seen, expected in ((0, everything), (4, everything[4:]), (6, everything[-1:]), (99, everything[-1:])):
        assert _events(await client.get(location, headers={"Last-Event-ID": str(seen)})) == expected


@pytest.mark.parametrize("value", ["-1", "x", "9007199254740992"])
async def test_an_odd_last_event_id_is_refused(client: httpx.AsyncClient, value: str) -> None:
    accepted = await client.post(COLLECT, json={"documents": [DOCUMENT]})
    headers = {"Last-Event-ID": value}
    response = await client.get(accepted.headers["location"] + "/events", headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["name"] == "Last-Event-ID"


@pytest.mark.parametrize(
    ("method", "path", "detail"),
    [
        ("GET", "/collect/job_7", "No job has the id job_7."),
        ("GET", "/collect/job_7/events", "No job has the id job_7."),
        ("GET", "/documents/doc_7", "No document has the id doc_7."),
        ("DELETE", "/documents/doc_7", "No document has the id doc_7."),
    ],
)
async def test_unknown_ids_are_not_found(
    client: httpx.AsyncClient, method: str, path: str, detail: str
) -> None:
    response = await client.request(method, CORPUS + path)
    assert (response.status_code, response.json()["detail"]) == (404, detail)


@pytest.mark.parametrize("path", ["/collect/a%20b", "/documents/a.b", "/documents/" + "a" * 65])
async def test_what_cannot_be_an_id_is_refused(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(CORPUS + path)
    assert (response.status_code, response.json()["errors"][0]["location"]) == (400, "path")


async def test_a_deleted_document_is_gone_until_it_is_collected_again(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await _finished(client, await client.post(COLLECT, json={"documents": [DOCUMENT]}))
        found = (await client.get(f"{CORPUS}/search", params={"q": "karmany"})).json()["documents"]
        path = f"{CORPUS}/documents/{found[0]['id']}"
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.get(f"{CORPUS}/search", params={"q": "karmany"})).json()["total"] == 0


async def test_stats_count_by_language(client: httpx.AsyncClient) -> None:
    before = (await client.get(f"{CORPUS}/stats")).json()
    assert before["documents"] == len(seed_documents()) == sum(x["documents"] for x in before["languages"])
    assert before["characters"] == sum(len(document.text) for document in seed_documents())
    await _finished(client, await client.post(COLLECT, json={"documents": _documents(50)}))
    after = (await client.get(f"{CORPUS}/stats")).json()
    assert after["languages"][0]["language"] == "en"
    assert after["languages"][0]["documents"] == before["languages"][0]["documents"] + 50
