"""The generated shop, called: what travels, and what comes back."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from codegen.python.package import Shop

CAT = {"kind": "cat", "name": "Mimi", "mood": "wild", "class": "tabby", "born": "2020-02-29"}


class Recorder:
    """Keeps the requests and gives one answer to each."""

    def __init__(self, status: int = 204, **answer: object) -> None:
        self.requests: list[httpx.Request] = []
        self._status = status
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self._status, **self._answer)  # type: ignore[arg-type]  # as the test says

    @property
    def sent(self) -> httpx.Request:
        (request,) = self.requests
        return request


def test_parameters_travel_under_their_own_names(shop: Shop) -> None:
    server = Recorder(200, json={"pets": [], "next": None})
    client = shop.client(server)
    born = datetime.date(2020, 2, 29)
    page = client.pets.list(class_="cat", tags=["a", "b"], timeout_s_=3, born_after=born, timeout_s=9)
    query = "class=cat&tags=a&tags=b&timeout_s=3&born-after=2020-02-29"
    assert str(server.sent.url) == f"https://shop.test/api/pets?{query}"
    assert page.next is None


def test_what_was_not_given_is_left_out_and_none_is_null(shop: Shop) -> None:
    server = Recorder(204)
    assert shop.client(server).pets.replace("7", name="Mimi", weight=None) is None
    assert server.sent.url.path == "/api/pets/7"
    assert json.loads(server.sent.read()) == {"name": "Mimi", "weight": None}


def test_a_name_used_twice_keeps_both_values(shop: Shop) -> None:
    server = Recorder(204)
    shop.client(server).pets.replace("7", name="Mimi", id_body="8")
    assert server.sent.url.path == "/api/pets/7"
    assert json.loads(server.sent.read())["id"] == "8"


def test_nested_objects_go_as_models_or_as_mappings(shop: Shop) -> None:
    from importlib import import_module

    models = import_module(f"{shop.module.__name__}.models")
    server = Recorder(204)
    client = shop.client(server)
    client.pets.replace("7", name="Mimi", owner=models.Owner(name="Panini"))
    client.pets.replace("7", name="Mimi", owner={"name": "Panini"})
    bodies = [json.loads(request.read()) for request in server.requests]
    assert bodies == [{"name": "Mimi", "owner": {"name": "Panini"}}] * 2


async def test_models_know_their_kind_and_keep_what_is_new(shop: Shop) -> None:
    dog = {"kind": "dog", "name": "Rex", "collar": {"colour": "red"}, "tail": 1}
    newer = {"kind": "parrot", "words": 3}
    moody = {"kind": "cat", "name": "M", "mood": "sleepy"}
    server = Recorder(200, json={"pets": [CAT, dog, newer, moody], "next": "x"})
    page = await shop.async_client(server).pets.list()
    cat, rex, parrot, other = page.pets
    assert (type(cat).__name__, cat.class_, cat.born) == ("Cat", "tabby", datetime.date(2020, 2, 29))
    assert (type(rex).__name__, rex.collar.colour, rex.tail) == ("Dog", "red", 1)
    assert (type(parrot).__name__, parrot.kind, parrot.words) == ("UnknownPet", "parrot", 3)
    assert other.mood == "sleepy"


@pytest.mark.parametrize("stream", [False, True])
def test_events_come_only_where_they_are_asked_for(shop: Shop, stream: bool) -> None:
    answers: dict[bool, dict[str, object]] = {
        False: {"json": {"text": "so"}},
        True: {
            "text": 'data: {"word": "s"}\n\ndata: {"word": "o"}\n\n',
            "headers": {"content-type": "text/event-stream"},
        },
    }
    server = Recorder(200, **answers[stream])
    answer = shop.client(server).ask("why?", stream=stream)
    assert server.sent.headers["accept"] == ("text/event-stream" if stream else "application/json")
    assert json.loads(server.sent.read()) == {"question": "why?"}
    assert ([event.word for event in answer] if stream else answer.text) == (["s", "o"] if stream else "so")


async def test_like_is_answered_with_like(shop: Shop) -> None:
    server = Recorder(200, json={"text": "a"})
    assert (await shop.async_client(server).echo("a")).text == "a"
    assert server.sent.headers["content-type"] == "application/json"

    raw = Recorder(200, content=b"\x00\xff", headers={"content-type": "application/octet-stream"})
    async with await shop.async_client(raw).echo(content=b"\x00\xff") as answer:
        assert await answer.read() == b"\x00\xff"
    assert raw.sent.headers["accept"] == raw.sent.headers["content-type"] == "application/octet-stream"


def test_json_lines_are_written_from_items(shop: Shop) -> None:
    server = Recorder(204)
    client = shop.client(server)
    client.pets.import_(content=[{"name": "A"}, {"name": "B"}])
    client.pets.import_(content="name\nA\n", content_type="text/csv")
    lines, table = server.requests
    assert lines.headers["content-type"] == "application/jsonl"
    assert lines.read() == b'{"name":"A"}\n{"name":"B"}\n'
    assert table.headers["content-type"].startswith("text/csv")


async def test_json_lines_are_taken_from_async_items(shop: Shop) -> None:
    async def items() -> AsyncIterator[dict[str, str]]:
        yield {"name": "A"}

    server = Recorder(204)
    seen: list[bytes] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(await request.aread())
        return server(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    await shop.module.ShopAPI(http_client=http).pets.import_(content=items())
    assert seen == [b'{"name":"A"}\n']


def test_files_go_as_a_form_or_as_they_are(shop: Shop) -> None:
    server = Recorder(200, text="Mimi", headers={"content-type": "text/plain"})
    client = shop.client(server)
    assert client.photos.put("7", file=b"PNG", caption="Mimi") == "Mimi"
    client.photos.put("7", content=b"PNG")
    client.photos.put("7", content=b"JPEG", content_type="image/jpeg")
    form, png, jpeg = server.requests
    body = form.read().decode()
    assert form.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert 'name="file"; filename=' in body
    assert "Content-Type: image/png\r\n\r\nPNG\r\n" in body
    assert 'name="caption"\r\n\r\nMimi\r\n' in body.replace("\r\nContent-Type: text/plain", "")
    assert [request.headers["content-type"] for request in (png, jpeg)] == ["image/png", "image/jpeg"]


def test_bytes_come_back_as_they_are(shop: Shop) -> None:
    server = Recorder(200, content=b"PNG", headers={"content-type": "image/png"})
    with shop.client(server).photos.get("7") as photo:
        assert photo.read() == b"PNG"


def test_one_of_several_objects_is_sent_member_by_member(shop: Shop) -> None:
    server = Recorder(204)
    shop.client(server).login(by="ByKey", key="k")
    assert json.loads(server.sent.read()) == {"by": "ByKey", "key": "k"}


def test_a_deprecated_operation_warns_once(shop: Shop) -> None:
    client = shop.client(Recorder(200, json=CAT))
    with pytest.warns(DeprecationWarning, match=r"pets\.get is deprecated") as warned:
        client.pets.get("7")
    client.pets.get("7")  # where warnings are errors, a second one would be raised
    assert [warning.filename for warning in warned] == [__file__]


def test_an_argument_that_every_body_needs_is_missed_here(shop: Shop) -> None:
    server = Recorder(204)
    with pytest.raises(TypeError, match="by"):
        shop.client(server).login()
    with pytest.raises(ValueError, match="cannot be sent together"):
        shop.client(server).echo("a", content=b"a")
    assert server.requests == []


def test_a_raw_response_has_all_that_came(shop: Shop) -> None:
    server = Recorder(200, json={"text": "so"}, headers={"x-request-id": "r-1"})
    client = shop.client(server)
    for raw in (client.with_raw_response, client.with_options(max_retries=0).with_raw_response):
        response = raw.ask("why?")
        assert (response.status, response.request_id, response.attempts) == (200, "r-1", 1)
        assert response.json() == {"text": "so"}
        assert response.parse() == client.ask("why?")


async def test_a_raw_response_of_a_resource_is_awaited(shop: Shop) -> None:
    client = shop.async_client(Recorder(200, json={"pets": [], "next": None}))
    response = await client.pets.with_raw_response.list(class_="cat")
    assert response.parse() == await client.pets.list()
    assert (await client.pets.with_raw_response.list()).content == response.content


async def test_a_streaming_response_is_opened_as_a_context(shop: Shop) -> None:
    server = Recorder(200, content=b"PNG", headers={"content-type": "image/png"})
    async with shop.async_client(server).photos.with_streaming_response.get("7") as response:
        assert [chunk async for chunk in response.iter_bytes()] == [b"PNG"]
    lazily = shop.async_client(server).photos.with_streaming_response.get("7")
    assert len(server.requests) == 1, "nothing is sent before the context is entered"
    async with lazily as response:
        assert await response.read() == b"PNG"
    with shop.client(server).photos.with_streaming_response.get("7") as sync_response:
        assert list(sync_response.iter_bytes()) == [b"PNG"]


async def test_a_deprecated_operation_warns_its_caller_in_every_form(shop: Shop) -> None:
    sync, client = shop.client(Recorder(200, json=CAT)), shop.async_client(Recorder(200, json=CAT))
    opened, opening = (pets.with_streaming_response.get("7") for pets in (sync.pets, client.pets))
    with pytest.warns(DeprecationWarning, match=r"pets\.get is deprecated") as warned:
        opened.__enter__()
    assert [warning.filename for warning in warned] == [__file__]
    with pytest.warns(DeprecationWarning, match=r"pets\.get is deprecated") as warned:
        await opening.__aenter__()
    assert [warning.filename for warning in warned] == [__file__]
    opened.__exit__(None, None, None)
    await opening.__aexit__(None, None, None)
    with pytest.warns(DeprecationWarning, match=r"pets\.get is deprecated") as warned:
        await shop.async_client(Recorder(200, json=CAT)).pets.with_raw_response.get("7")
    assert [warning.filename for warning in warned] == [__file__]
