"""The generated library, called: pages that lead to the next one, and jobs that are waited for."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from codegen.project import Project
from codegen.python.package import HERE
from dhatu_codegen.targets.python import PythonTarget
from sdk.support import VirtualTime, surroundings

TITLES = [f"book {number}" for number in range(5)]
Reply = Callable[[httpx.Request], httpx.Response]


class Reader:
    """One colour of the library, seen from code that does not await."""

    def __init__(self, library: ModuleType, colour: str, reply: Reply, **settings: Any) -> None:
        self.time = VirtualTime()
        self.requests: list[httpx.Request] = []
        self._runner = asyncio.Runner() if colour == "async" else None
        transport = httpx.MockTransport(lambda request: self._answered(request, reply))
        base = library.ShopAPI if self._runner else library.SyncShopAPI
        http: Any = httpx.AsyncClient if self._runner else httpx.Client
        kind = type(base.__name__, (base,), {"_surroundings": surroundings(self.time)})
        self._http = http(transport=transport)
        self.client: Any = kind(http_client=self._http, **settings)

    def _answered(self, request: httpx.Request, reply: Reply) -> httpx.Response:
        self.requests.append(request)
        return reply(request)

    def got(self, value: Any) -> Any:
        async def awaited() -> Any:
            return await value

        return self._runner.run(awaited()) if self._runner else value

    def all(self, value: Any) -> list[Any]:
        async def gathered() -> list[Any]:
            return [item async for item in value]

        return self._runner.run(gathered()) if self._runner else list(value)

    def queries(self) -> list[str]:
        return [request.url.query.decode() for request in self.requests]

    def close(self) -> None:
        self.got(self._http.aclose() if self._runner else self._http.close())
        if self._runner:
            self._runner.close()


@pytest.fixture(params=["async", "sync"])
def connect(request: pytest.FixtureRequest, library: ModuleType) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def make(reply: Reply, **settings: Any) -> Reader:
        readers.append(Reader(library, request.param, reply, **settings))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


Connect = Callable[..., Reader]


def books(request: httpx.Request) -> httpx.Response:
    """Two books a page."""
    start = int(request.url.params.get("cursor", 0))
    following = str(start + 2) if start + 2 < len(TITLES) else None
    found = [{"title": title} for title in TITLES[start : start + 2]]
    return httpx.Response(200, json={"books": found, "next-cursor": following, "count": len(TITLES)})


class TestPages:
    def test_going_through_a_list_crosses_its_pages(self, connect: Connect) -> None:
        reader = connect(books)
        listed = reader.client.books.list(shelf="high")
        assert [book.title for book in reader.all(listed)] == TITLES
        assert reader.queries() == ["shelf=high", "shelf=high&cursor=2", "shelf=high&cursor=4"]

    def test_a_page_is_its_model_and_knows_the_next(self, connect: Connect, library: ModuleType) -> None:
        reader = connect(books)
        page = reader.got(reader.client.books.list())
        assert isinstance(page, library.bound.models.BookPage)
        assert (page.count, page.next_cursor, page.has_next_page()) == (5, "2", True)
        second = reader.got(page.next_page())
        last = reader.got(second.next_page())
        assert type(last) is type(page)
        assert [book.title for book in last.books] == TITLES[4:]
        assert (last.has_next_page(), reader.got(last.next_page())) == (False, None)
        assert [book.title for book in reader.all(second)] == TITLES[2:], "from this page on"

    def test_pages_come_one_by_one(self, connect: Connect) -> None:
        reader = connect(books)
        pages = reader.all(reader.client.books.list().pages())
        assert [len(page.books) for page in pages] == [2, 2, 1]
        assert len(reader.requests) == 3

    def test_each_page_is_a_call_with_the_options_of_the_first(self, connect: Connect) -> None:
        failures = iter([False, True, False, False])
        heads: list[Any] = []

        def reply(request: httpx.Request) -> httpx.Response:
            return httpx.Response(503) if next(failures) else books(request)

        reader = connect(reply)
        listed = reader.client.books.list(extra_headers={"x-tenant": "t"}, on_answer=heads.append)
        assert len(reader.all(listed)) == 5
        assert [request.headers["x-tenant"] for request in reader.requests] == ["t"] * 4
        assert [head.attempts for head in heads] == [1, 2, 1]

    def test_a_page_compares_copies_and_travels_as_its_model_does(
        self, connect: Connect, library: ModuleType
    ) -> None:
        reader = connect(books)
        page, again = (reader.got(reader.client.books.list()) for _ in range(2))
        assert page == again == copy.deepcopy(page)
        plain = library.bound.models.BookPage.model_validate({**page.model_dump(), "next_cursor": "2"})
        assert page == plain == page
        plain.count = 6
        assert page != plain != page
        assert page != 5
        assert page.model_dump() == {"books": again.model_dump()["books"], "next_cursor": "2", "count": 5}
        pickled = pickle.loads(pickle.dumps(page))
        assert pickled.books == page.books
        with pytest.raises(RuntimeError, match="came out of a pickle"):
            pickled.has_next_page()

    @pytest.mark.parametrize("length", [1, 2, 3, 7])
    def test_a_server_that_goes_round_in_circles_is_left(self, connect: Connect, length: int) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            number = int(request.url.params.get("cursor", 0))
            return httpx.Response(200, json={"books": [], "next-cursor": str(number % length + 1)})

        reader = connect(reply)
        with pytest.raises(Exception, match=r"books\.list: the server points to a page .* no end") as caught:
            reader.all(reader.client.books.list())
        assert type(caught.value).__name__ == "PaginationError"
        assert len(reader.requests) <= 3 * (length + 1)

    def test_long_lists_are_no_circles(self, connect: Connect) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            number = int(request.url.params.get("cursor", 0))
            following = None if number == 200 else str(number + 1)
            return httpx.Response(200, json={"books": [{"title": "t"}], "next-cursor": following})

        reader = connect(reply)
        assert len(reader.all(reader.client.books.list())) == 201

    def test_the_next_page_may_be_asked_for_twice(self, connect: Connect) -> None:
        reader = connect(books)
        page = reader.got(reader.client.books.list())
        assert reader.got(page.next_page()) == reader.got(page.next_page())

    def test_cursors_travel_in_bodies_and_lie_deep(self, connect: Connect) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            after = json.loads(request.read()).get("after")
            meta = {} if after else {"next": "n"}
            return httpx.Response(200, json={"found": {"books": [{"title": str(after)}]}, "meta": meta})

        reader = connect(reply)
        found = reader.all(reader.client.books.search(words="w"))
        assert [book.title for book in found] == ["None", "n"]
        bodies = [json.loads(request.read()) for request in reader.requests]
        assert bodies == [{"words": "w"}, {"words": "w", "after": "n"}]

    @pytest.mark.parametrize("named", [True, False])
    def test_pages_are_numbered_until_all_are_there_or_one_is_empty(
        self, connect: Connect, named: bool
    ) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            start = (int(request.url.params.get("page", 1)) - 1) * 2
            total = {"total": 5} if named else {}
            return httpx.Response(200, json={"titles": TITLES[start : start + 2], **total})

        reader = connect(reply)
        assert reader.all(reader.client.books.numbered()) == TITLES
        assert reader.queries() == ["", "page=2", "page=3"] + ([] if named else ["page=4"])
        later = connect(reply)
        assert later.all(later.client.books.numbered(page=3)) == TITLES[4:]

    def test_items_are_skipped_by_their_number(self, connect: Connect) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            start = int(request.url.params.get("skip", 0))
            return httpx.Response(200, json={"titles": TITLES[start : start + 3]})

        reader = connect(reply)
        assert reader.all(reader.client.books.skipping()) == TITLES
        assert reader.queries() == ["", "skip=3", "skip=5"]

    def test_a_server_that_takes_no_notice_of_the_page_is_left(self, connect: Connect) -> None:
        reader = connect(lambda _: httpx.Response(200, json={"titles": ["same"]}))
        with pytest.raises(Exception, match="the same items whatever page says"):
            reader.all(reader.client.books.numbered())
        assert len(reader.requests) == 2

    def test_links_are_followed_by_their_query_and_never_to_another_host(self, connect: Connect) -> None:
        links = ["https://evil.test/linked?genre=a&genre=b&token=x%20y&new=1", ""]

        def reply(request: httpx.Request) -> httpx.Response:
            number = 1 if "token" in request.url.params else 0
            return httpx.Response(200, json={"titles": [TITLES[number]], "next": links[number]})

        reader = connect(reply)
        assert reader.all(reader.client.books.linked(genre=["a", "b"])) == TITLES[:2]
        assert reader.queries() == ["genre=a&genre=b", "genre=a&genre=b&token=x%20y&new=1"]
        assert {request.url.host for request in reader.requests} == {"shop.test"}

    def test_links_may_stand_in_the_header(self, connect: Connect) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            number = int(request.url.params.get("p", 0))
            link = f'</headed?p={number}>; rel="self", </headed?p={number + 1}>; title="a, b"; rel="next"'
            headers = {"link": link} if number < 2 else {}
            return httpx.Response(200, json={"titles": [str(number)]}, headers=headers)

        reader = connect(reply)
        assert reader.all(reader.client.headed()) == ["0", "1", "2"]

    def test_raw_and_streaming_responses_hold_pages_that_lead_on(self, connect: Connect) -> None:
        reader = connect(books)
        response = reader.got(reader.client.books.with_raw_response.list())
        assert response.json()["next-cursor"] == "2"
        assert [book.title for book in reader.all(response.parse())] == TITLES

    def test_what_would_hide_a_member_of_the_page_stays_a_model(self, connect: Connect) -> None:
        reader = connect(lambda _: httpx.Response(200, json={"pages": 3, "titles": []}))
        assert reader.got(reader.client.books.hidden()).pages == 3


class TestJobs:
    @staticmethod
    def scans(*answers: dict[str, Any] | httpx.Response) -> Reply:
        told = iter(answers)

        def reply(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                return httpx.Response(202, json={"scan": {"id": "s/1"}})
            answer = next(told)
            return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

        return reply

    @staticmethod
    def scan(status: str, **more: Any) -> dict[str, Any]:
        return {"id": "s/1", "status": status, **more}

    def test_waiting_asks_ever_more_patiently_until_it_is_done(self, connect: Connect) -> None:
        states = [self.scan("waiting"), *[self.scan("running")] * 7, self.scan("ready", percent=100)]
        reader = connect(self.scans(*states))
        job = reader.got(reader.client.scans.begin(book="b"))
        assert job.scan.id == "s/1"
        seen: list[str] = []
        done = reader.got(job.wait(on_progress=lambda scan: seen.append(scan.status)))
        assert (done.status, done.percent) == ("ready", 100)
        assert seen == [state["status"] for state in states]
        assert [request.url.raw_path for request in reader.requests[1:]] == [b"/api/scans/s%2F1"] * 9
        assert reader.time.slept == [2 * min(1.5**n, 10) for n in range(9)]

    def test_the_server_says_how_long_to_wait(self, connect: Connect) -> None:
        patient = httpx.Response(200, json=self.scan("running"), headers={"retry-after": "30"})
        reader = connect(self.scans(patient, self.scan("ready")))
        reader.got(reader.got(reader.client.scans.begin(book="b")).wait())
        assert reader.time.slept == [2, 30]

    def test_a_job_that_fails_raises_what_the_server_said(self, connect: Connect) -> None:
        broken = self.scan("broken", problem={"text": "page 3 is torn"})
        reader = connect(self.scans(self.scan("running"), broken))
        job = reader.got(reader.client.scans.begin(book="b"))
        with pytest.raises(
            Exception, match=r"scans\.begin: the job ended as broken: page 3 is torn"
        ) as caught:
            reader.got(job.wait())
        error: Any = caught.value
        assert type(error).__name__ == "JobFailedError"
        assert (error.job.status, error.state, error.reason) == ("broken", "broken", "page 3 is torn")
        assert pickle.loads(pickle.dumps(error)).job.status == "broken"

    def test_waiting_ends_when_its_time_is_over(self, connect: Connect) -> None:
        reader = connect(self.scans(*[self.scan("running")] * 9))
        job = reader.got(reader.client.scans.begin(book="b"))
        with pytest.raises(TimeoutError, match="did not end within 7 s") as caught:
            reader.got(job.wait(timeout_s=7))
        error: Any = caught.value
        assert error.job.status == "running"
        assert reader.time.slept == [2, 3, 2], "the last question comes when the time is over"

    def test_a_job_that_was_looked_up_can_be_waited_for(self, connect: Connect) -> None:
        reader = connect(self.scans(self.scan("running"), self.scan("ready")))
        job = reader.got(reader.client.scans.get("s/1"))
        assert reader.got(job.wait()).status == "ready"
        assert len(reader.requests) == 2

    def test_a_job_that_has_ended_is_not_asked_about(self, connect: Connect) -> None:
        reader = connect(self.scans(self.scan("ready")))
        job = reader.got(reader.client.scans.get("s/1"))
        assert reader.got(job.wait()) == job
        assert len(reader.requests) == 1

    def test_headers_of_the_first_call_go_along(self, connect: Connect) -> None:
        reader = connect(self.scans(self.scan("ready")))
        begun = reader.client.scans.begin(book="b", extra_headers={"X-Tenant": "t"}, idempotency_key="k")
        reader.got(reader.got(begun).wait())
        begin, ask = reader.requests
        assert (begin.headers["x-tenant"], ask.headers["x-tenant"]) == ("t", "t")
        assert "idempotency-key" not in ask.headers

    def test_an_answer_without_a_job_stays_what_it_is(self, connect: Connect) -> None:
        reader = connect(lambda _: httpx.Response(204))
        assert reader.got(reader.client.scans.begin(book="b")) is None

    def test_a_job_without_a_state_is_no_job(self, connect: Connect, library: ModuleType) -> None:
        reader = connect(self.scans(self.scan("running")))
        job = reader.got(reader.client.scans.get("s/1"))
        del job.__dict__["status"]
        with pytest.raises(Exception, match="the job has no status"):
            reader.got(job.wait())


def test_progress_may_be_awaited(library: ModuleType) -> None:
    reader = Reader(library, "async", TestJobs.scans(TestJobs.scan("ready")))
    seen: list[str] = []

    async def note(scan: Any) -> None:
        await asyncio.sleep(0)
        seen.append(scan.status)

    reader.got(reader.got(reader.client.scans.begin(book="b")).wait(on_progress=note))
    assert seen == ["ready"]
    reader.close()


def test_what_the_sdk_cannot_go_on_from_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.service("library", (HERE / "library.yaml").read_text(encoding="utf-8"))
    found = project.build((PythonTarget(),)).diagnostics.all
    assert [one.message for one in found if one.code == "DH089"] == [
        "the SDK does not go on from the answer of books.hidden: its answer has a member pages of its own"
    ]


def test_the_list_of_operations_says_what_leads_on(library_package: Path) -> None:
    listing = (library_package / "generated" / "api.md").read_text(encoding="utf-8")
    assert "- `client.books.list(...)`: `GET /books` (pages)" in listing
    assert "- `client.scans.begin(book=)`: `POST /scans` (job)" in listing
    assert "- `client.books.hidden(...)`: `GET /hidden`\n" in listing
