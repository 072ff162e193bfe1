from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from unicodedata import category
from urllib.parse import quote

import httpx
import pytest
from dhatu_reference.corpus.app import create_app
from dhatu_reference.corpus.documents import DocumentInput
from dhatu_reference.corpus.search import SearchRequest, search
from dhatu_reference.corpus.seed import seed_documents
from dhatu_reference.corpus.store import Store
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.contract import client_of

CORPUS = "/api/v1/corpus"
SEARCH = f"{CORPUS}/search"


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with client_of(create_app(), "corpus") as client:
        yield client


async def _collect(client: httpx.AsyncClient, *documents: dict[str, str]) -> None:
    response = await client.post(f"{CORPUS}/collect", json={"documents": documents})
    assert response.status_code == 202
    await client.get(response.headers["location"] + "/events")


async def _pages(client: httpx.AsyncClient, **params: str | int) -> AsyncIterator[list[str]]:
    while True:
        page = (await client.get(SEARCH, params=params)).json()
        yield [document["id"] for document in page["documents"]]
        if page["next_cursor"] is None:
            return
        params["cursor"] = page["next_cursor"]


async def test_the_best_match_comes_first(client: httpx.AsyncClient) -> None:
    page = (await client.get(SEARCH, params={"q": "sanskrit linguistics"})).json()
    assert page["documents"][0]["title"] == "What Sanskrit linguistics studies"
    scores = [document["score"] for document in page["documents"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0
    assert page["total"] == len(scores) >= 5


@pytest.mark.parametrize("q", ["pāṇini", "panini", "PĀṆINI", "pa\u0304n\u0323ini"])
async def test_diacritics_and_case_do_not_matter(client: httpx.AsyncClient, q: str) -> None:
    page = (await client.get(SEARCH, params={"q": q})).json()
    assert "Pāṇini and his eight books" in [document["title"] for document in page["documents"]]


async def test_a_word_in_devanagari_is_found_whole(client: httpx.AsyncClient) -> None:
    page = (await client.get(SEARCH, params={"q": "विद्यया"})).json()
    assert [document["title"] for document in page["documents"]] == ["विद्या"]
    assert "<mark>विद्यया</mark>" in page["documents"][0]["snippet"]


async def test_every_word_must_occur(client: httpx.AsyncClient) -> None:
    for q, total in (("kumbhakāraḥ", 1), ("kumbhakāraḥ siṃhaḥ", 0)):
        assert (await client.get(SEARCH, params={"q": q})).json()["total"] == total


async def test_a_phrase_is_found_side_by_side(client: httpx.AsyncClient) -> None:
    await _collect(
        client,
        {"title": "One", "text": "zebra stripes", "language": "en"},
        {"title": "Two", "text": "stripes of a zebra", "language": "en"},
    )
    assert (await client.get(SEARCH, params={"q": "zebra stripes"})).json()["total"] == 2
    page = (await client.get(SEARCH, params={"q": '"zebra stripes"'})).json()
    assert [document["title"] for document in page["documents"]] == ["One"]


async def test_a_star_finds_every_word_that_begins_so(client: httpx.AsyncClient) -> None:
    assert (await client.get(SEARCH, params={"q": "palatalis"})).json()["total"] == 0
    page = (await client.get(SEARCH, params={"q": "palatalis*"})).json()
    assert [document["title"] for document in page["documents"]] == ["The law of palatals"]


async def test_hits_are_marked_and_everything_else_is_escaped(client: httpx.AsyncClient) -> None:
    text = "<script>alert('xyzzy')</script> & more"
    await _collect(client, {"title": "<b>", "text": text, "language": "en", "source": "A test"})
    hit = (await client.get(SEARCH, params={"q": "xyzzy"})).json()["documents"][0]
    assert hit["snippet"] == "&lt;script&gt;alert('<mark>xyzzy</mark>')&lt;/script&gt; &amp; more"
    assert (hit["title"], hit["source"]) == ("<b>", "A test")


@pytest.mark.parametrize(
    ("language", "found"),
    [
        ("sa", {"sa-Latn", "sa-Deva"}),
        ("SA-latn", {"sa-Latn"}),
        ("en", {"en"}),
        ("s", None),
        ("sa-L", set()),
        ("fr", set()),
    ],
)
async def test_the_language_narrows_the_search(
    client: httpx.AsyncClient, language: str, found: set[str] | None
) -> None:
    documents = [
        {"title": f"Words {tag}", "text": "plugh", "language": tag} for tag in ("en", "SA-LATN", "sa-deva")
    ]
    await _collect(client, *documents)
    response = await client.get(SEARCH, params={"q": "plugh", "language": language})
    if found is None:
        assert response.status_code == 400
        return
    assert {document["language"] for document in response.json()["documents"]} == found


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_together_hold_every_match_once(client: httpx.AsyncClient, limit: int) -> None:
    whole = (await client.get(SEARCH, params={"q": "the", "limit": 100})).json()
    pages = [page async for page in _pages(client, q="the", limit=limit)]
    assert [identity for page in pages for identity in page] == [hit["id"] for hit in whole["documents"]]
    assert all(len(page) == limit for page in pages[:-1])


async def test_documents_added_meanwhile_do_not_shift_the_pages(client: httpx.AsyncClient) -> None:
    before = (await client.get(SEARCH, params={"q": "the", "limit": 100})).json()
    seen: list[str] = []
    async for page in _pages(client, q="the", limit=7):
        seen += page
        text = f"the newcomer {len(seen)}"
        await _collect(client, *({"title": f"{text} {n}", "text": text, "language": "en"} for n in range(20)))
    assert seen == [document["id"] for document in before["documents"]]


@pytest.mark.parametrize("limit", [1, 4, 10])
async def test_a_reader_may_delete_what_it_reads(client: httpx.AsyncClient, limit: int) -> None:
    before = (await client.get(SEARCH, params={"q": "the", "limit": 100})).json()
    seen: list[str] = []
    async for page in _pages(client, q="the", limit=limit):
        seen += page
        for identity in page:
            assert (await client.delete(f"{CORPUS}/documents/{identity}")).status_code == 204
    assert sorted(seen) == sorted(document["id"] for document in before["documents"])
    assert (await client.get(SEARCH, params={"q": "the"})).json()["total"] == 0


async def test_nothing_is_left_out_when_others_delete(client: httpx.AsyncClient) -> None:
    whole = [page[0] async for page in _pages(client, q="the", limit=1)]
    first = (await client.get(SEARCH, params={"q": "the", "limit": 5})).json()
    for identity in (whole[0], whole[4], whole[8]):
        await client.delete(f"{CORPUS}/documents/{identity}")
    seen = {document["id"] for document in first["documents"]}
    async for page in _pages(client, q="the", limit=5, cursor=first["next_cursor"]):
        seen.update(page)
    assert seen == set(whole) - {whole[8]}


@pytest.mark.parametrize(
    "cursor", ["x", "!!!!", "ṣ", "W10", "WzEsMiwzLDQsNV0", "bnVsbA", "W1tbW1tbW1tb", "9" * 256, "eyJhIjoxfQ"]
)
async def test_a_made_up_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get(SEARCH, params={"q": "the", "cursor": cursor})
    assert response.status_code == 400
    assert [(error["location"], error["name"]) for error in response.json()["errors"]] == [
        ("query", "cursor")
    ]


async def test_a_cursor_of_another_search_is_refused(client: httpx.AsyncClient) -> None:
    first = (await client.get(SEARCH, params={"q": "the", "limit": 1})).json()
    for params in ({"q": "a"}, {"q": "the", "language": "en"}):
        response = await client.get(SEARCH, params={**params, "cursor": first["next_cursor"]})
        assert response.status_code == 400
        assert "another search" in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=" + "a" * 513, "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=101", "limit"),
        ("q=a&limit=ten", "limit"),
        ("q=a&language=x_y", "language"),
        ("q=a&cursor=", "cursor"),
    ],
)
async def test_odd_parameters_are_refused(client: httpx.AsyncClient, query: str, name: str) -> None:
    response = await client.get(f"{SEARCH}?{query}")
    assert response.status_code == 400
    assert [(error["location"], error["name"]) for error in response.json()["errors"]] == [("query", name)]


@pytest.mark.parametrize(
    "q",
    [
        '"',
        '""',
        "'",
        "*",
        "a*b",
        "**",
        "AND",
        "OR NOT",
        "NEAR(a b, 3)",
        "title:verbal",
        "^verbal",
        "-verbal",
        "a + b",
        "(((",
        "{title text}: x",
        '"unclosed phrase',
        'tail"',
        "a\x00b",
        "%_",
        "; DROP TABLE documents",
        "x " * 250,
        "\U0001f600",
    ],
)
async def test_no_query_is_taken_for_an_operator(client: httpx.AsyncClient, q: str) -> None:
    response = await client.get(f"{SEARCH}?q={quote(q)}")
    assert response.status_code == 200


async def test_bytes_that_are_no_text_do_no_harm(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{SEARCH}?q=%ff%fe+the")
    assert response.status_code == 200


@pytest.fixture(scope="module")
def seeded_store() -> Iterator[Store]:
    store = Store()
    store.add(seed_documents())
    yield store
    store.close()


@given(q=st.text(min_size=1, max_size=60) | st.text('"*()-+:^{} aANDORNTnear\x00', min_size=1, max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_query_has_an_answer(seeded_store: Store, q: str) -> None:
    page = search(seeded_store, SearchRequest(q=q.encode(errors="replace").decode()))
    assert page.total >= len(page.hits)


def words_of_the_corpus() -> list[str]:
    """Marks belong to words: `\\w` would cut a word in Devanāgarī at every vowel sign."""
    text = " ".join(document.text for document in seed_documents())
    spaced = "".join(letter if category(letter)[0] in "LNM" else " " for letter in text)
    return sorted({word for word in spaced.split() if len(word) >= 4})


@given(word=st.sampled_from(words_of_the_corpus()))
@settings(max_examples=60, deadline=None)
def test_every_word_of_the_corpus_is_found(seeded_store: Store, word: str) -> None:
    holders = {document.id for document in seed_documents() if word in document.text}
    found = {hit.id for hit in search(seeded_store, SearchRequest(q=f"{word}*", limit=100)).hits}
    assert found & holders


def test_a_store_may_hold_no_document() -> None:
    store = Store()
    assert search(store, SearchRequest(q="anything")).total == 0
    assert store.stats() == ()
    assert store.add([DocumentInput(title="t", text="anything", language="en")]) == 1
    assert search(store, SearchRequest(q="anything")).total == 1
    store.close()
