from __future__ import annotations

import json
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from dhatu_reference.analysis.app import create_app
from reference.contract import client_of

DETECT = "/api/v1/patterns/detect"
VISUALIZE = "/api/v1/patterns/visualize"
GENERATE = "/api/v1/insights/generate"

VERSES = (
    "nainaṃ chindanti śastrāṇi nainaṃ dahati pāvakaḥ | na cainaṃ kledayanty āpo na śoṣayati mārutaḥ || "
    "yadā yadā hi dharmasya glānir bhavati bhārata | abhyutthānam adharmasya tadātmānaṃ sṛjāmy aham || "
    "yadā yadā ca bhavati | yadā yadā na bhavati ||"
)
DOCUMENT = yaml.safe_load(
    (Path(__file__).parents[2] / "spec" / "services" / "analysis.yaml").read_text("utf-8")
)


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with client_of(create_app(), "analysis") as client:
        yield client


async def _post(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def _refused(client: httpx.AsyncClient, path: str, body: object) -> list[tuple[str, str]]:
    response = await client.post(path, json=body)
    assert response.status_code == 400
    return [(error["name"], error["detail"]) for error in response.json()["errors"]]


async def _events(client: httpx.AsyncClient, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    response = await client.post(GENERATE, json=body, headers={"accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = [block.split("\n") for block in response.text.removesuffix("\n\n").split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_every_kind_of_pattern(client: httpx.AsyncClient) -> None:
    report = await _post(client, DETECT, text=VERSES)
    assert {pattern["kind"] for pattern in report["patterns"]} == {"repeat", "ngram", "dhatu"}
    assert report["documents"] == 1
    assert report["characters"] == len(VERSES)
    for kind, total in report["totals"].items():
        assert sum(pattern["kind"] == kind for pattern in report["patterns"]) <= min(total, 20)


async def test_positions_are_those_of_the_text_that_was_sent(client: httpx.AsyncClient) -> None:
    texts = [VERSES, "𑀓 यदा यदा भवति dahati"]
    for pattern in (await _post(client, DETECT, text=texts))["patterns"]:
        for place in [
            *pattern.get("positions", ()),
            *(p for f in pattern.get("forms", ()) for p in f["positions"]),
        ]:
            found = texts[place["document"]][place["start"] : place["end"]]
            assert found
            if pattern["kind"] == "repeat":
                assert found == pattern["text"]
            if pattern["kind"] == "ngram":
                assert found.split() == pattern["tokens"]


async def test_what_to_look_for(client: httpx.AsyncClient) -> None:
    query = {"kinds": ["repeat"], "min_length": 8, "min_count": 3, "limit": 1}
    report = await _post(client, DETECT, text=VERSES, **query)
    (pattern,) = report["patterns"]
    assert pattern["text"] == "| yadā yadā "
    assert report["totals"] == {"repeat": 2, "ngram": 0, "dhatu": 0}


async def test_at_most_a_hundred_positions(client: httpx.AsyncClient) -> None:
    report = await _post(client, DETECT, text="bhavati " * 150, kinds=["dhatu"])
    (pattern,) = report["patterns"]
    assert pattern["count"] == 150
    assert len(pattern["forms"][0]["positions"]) == 100


async def test_a_text_of_two_hundred_thousand_characters(client: httpx.AsyncClient) -> None:
    text = (VERSES * 1000)[:200_000]
    assert (await _post(client, DETECT, text=text))["characters"] == 200_000


@pytest.mark.parametrize("path", [DETECT, GENERATE])
@pytest.mark.parametrize(
    "text", ["a", " ", "\u0000", "𑀓", "।", "aaaa aaaa", ["a", "a"], "\u0301", "$x^2$ \\frac"]
)
async def test_odd_texts(client: httpx.AsyncClient, path: str, text: str | list[str]) -> None:
    await _post(client, path, text=text)
    assert (await client.post(VISUALIZE, json={"text": text})).status_code == 200


async def test_the_documented_answers_are_the_real_ones(client: httpx.AsyncClient) -> None:
    for path in (DETECT, GENERATE):
        operation = DOCUMENT["paths"][path]["post"]
        asked = operation["requestBody"]["content"]["application/json"]["examples"]["verse"]["value"]
        answered = operation["responses"]["200"]["content"]["application/json"]["examples"]["verse"]["value"]
        assert await _post(client, path, **asked) == answered
    asked = DOCUMENT["paths"][GENERATE]["post"]["requestBody"]["content"]["application/json"]["examples"][
        "verse"
    ]
    events = DOCUMENT["paths"][GENERATE]["post"]["responses"]["200"]["content"]["text/event-stream"][
        "examples"
    ]
    assert (await _events(client, **asked["value"]))[-1][1] == events["end"]["value"]


@pytest.mark.parametrize("path", [DETECT, GENERATE, VISUALIZE])
@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": ""}, ("/text", "must not be empty")),
        ({"text": 7}, ("/text", "must be a string")),
        ({"text": []}, ("/text", "must have 1 to 1000 texts")),
        ({"text": ["a", None]}, ("/text", "text 2 must be a string")),
        (
            {"text": ["a" * 100_000, "b" * 100_001]},
            ("/text", "has 200001 characters; 200000 are allowed in all"),
        ),
        ({"text": "a", "colour": "red"}, ("/colour", "is not known here")),
    ],
)
async def test_a_bad_text_is_refused(
    client: httpx.AsyncClient, path: str, body: object, error: tuple[str, str]
) -> None:
    assert await _refused(client, path, body) == [error]


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        (DETECT, {}, ["/text"]),
        (DETECT, {"text": "a", "kinds": ["rhyme"], "limit": 101}, ["/kinds/0", "/limit"]),
        (DETECT, {"text": "a", "min_length": "4", "min_count": 2.5, "max_words": True}, None),
        (DETECT, ["a"], [""]),
        (VISUALIZE, {}, ["/text"]),
        (VISUALIZE, {"text": "a", "format": "gif"}, ["/format"]),
        (VISUALIZE, {"patterns": []}, ["/patterns"]),
        (VISUALIZE, {"patterns": [{"kind": "rhyme"}]}, ["/patterns/0"]),
        (
            VISUALIZE,
            {"patterns": [{"kind": "repeat", "text": "a", "count": 2, "covered_characters": 2}]},
            None,
        ),
        (GENERATE, {"text": "a", "kinds": []}, ["/kinds"]),
    ],
)
async def test_every_bad_part_is_named(
    client: httpx.AsyncClient, path: str, body: object, names: list[str] | None
) -> None:
    expected = names or (
        ["/patterns/0/positions"] if path == VISUALIZE else ["/min_length", "/min_count", "/max_words"]
    )
    assert sorted(name for name, _ in await _refused(client, path, body)) == sorted(expected)


async def test_whole_numbers_may_be_written_with_a_fraction_of_zero(client: httpx.AsyncClient) -> None:
    response = await client.post(
        DETECT, content='{"text": "abab", "limit": 1.0}', headers={"content-type": "application/json"}
    )
    assert response.status_code == 200


async def test_other_media_types_are_refused(client: httpx.AsyncClient) -> None:
    assert (
        await client.post(DETECT, content="abab", headers={"content-type": "text/plain"})
    ).status_code == 415


async def test_malformed_json_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(DETECT, content='{"text": ', headers={"content-type": "application/json"})
    assert response.status_code == 400


async def test_a_body_beyond_four_mebibytes_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post(DETECT, json={"text": "a" * (4 * 1024 * 1024)})).status_code == 413


async def test_a_picture_as_svg(client: httpx.AsyncClient) -> None:
    response = await client.post(VISUALIZE, json={"text": VERSES, "title": "Gītā <2.23>"})
    assert response.headers["content-type"] == "image/svg+xml"
    assert ElementTree.fromstring(response.content).tag == "{http://www.w3.org/2000/svg}svg"


async def test_a_picture_as_png(client: httpx.AsyncClient) -> None:
    response = await client.post(VISUALIZE, json={"text": VERSES, "format": "png"})
    assert response.headers["content-type"] == "image/png"
    assert response.content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", response.content[16:24])
    assert width > height > 500


@pytest.mark.parametrize("format", ["svg", "png"])
async def test_the_same_picture_every_time(client: httpx.AsyncClient, format: str) -> None:
    first, second = [await client.post(VISUALIZE, json={"text": VERSES, "format": format}) for _ in range(2)]
    assert first.content == second.content


async def test_patterns_that_were_found_can_be_drawn(client: httpx.AsyncClient) -> None:
    patterns = (await _post(client, DETECT, text=VERSES, limit=10))["patterns"]
    drawn = await client.post(VISUALIZE, json={"patterns": patterns, "text": VERSES})
    assert drawn.status_code == 200
    assert drawn.content == (await client.post(VISUALIZE, json={"text": VERSES})).content
    assert (await client.post(VISUALIZE, json={"patterns": patterns})).status_code == 200


async def test_places_beyond_the_text_are_drawn_all_the_same(client: httpx.AsyncClient) -> None:
    place = {"document": 1000, "start": 7, "end": 3}
    pattern = {"kind": "repeat", "text": "漢字\t", "count": 2, "covered_characters": 0, "positions": [place]}
    assert (await client.post(VISUALIZE, json={"patterns": [pattern], "text": "a"})).status_code == 200


async def test_insights_with_the_figures_behind_them(client: httpx.AsyncClient) -> None:
    report = await _post(client, GENERATE, text=VERSES)
    insights = {insight["kind"]: insight for insight in report["insights"]}
    assert set(insights) == {"vocabulary", "diversity", "entropy", "repetition", "phrase", "roots", "rhythm"}
    scores = [insight["score"] for insight in report["insights"]]
    assert scores == sorted(scores, reverse=True)
    assert insights["phrase"]["title"] == "“yadā yadā” belongs together"
    assert {"label": "bhū", "value": 3} in insights["roots"]["evidence"]
    assert report["insights"][0]["title"] in report["summary"]


async def test_insights_without_grounds_are_left_out(client: httpx.AsyncClient) -> None:
    report = await _post(client, GENERATE, text="...")
    assert report["insights"] == []
    assert report["summary"] == "0 words in 1 text."


async def test_only_the_kinds_that_are_asked_for(client: httpx.AsyncClient) -> None:
    report = await _post(client, GENERATE, text=VERSES, kinds=["roots", "rhythm"])
    assert {insight["kind"] for insight in report["insights"]} == {"roots", "rhythm"}


async def test_the_stream_tells_the_same_as_the_report(client: httpx.AsyncClient) -> None:
    report = await _post(client, GENERATE, text=VERSES)
    *found, (last, done) = await _events(client, text=VERSES)
    assert {name for name, _ in found} == {"insight"}
    told = sorted((data["insight"] for _, data in found), key=lambda insight: insight["kind"])
    assert told == sorted(report["insights"], key=lambda insight: insight["kind"])
    assert last == "summary"
    assert done["insights"] == len(found)
    assert done["summary"] == report["summary"]


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/event-stream", False),
        ("application/json;q=0.5, text/event-stream", True),
        ("text/event-stream;q=0.2, */*;q=0.1", True),
        ("text/*, application/json;q=0.9", True),
        ("text/event-stream;q=nonsense", False),
    ],
)
async def test_accept_decides(client: httpx.AsyncClient, accept: str, streams: bool) -> None:
    response = await client.post(GENERATE, json={"text": "dahati"}, headers={"accept": accept})
    assert response.headers["content-type"].startswith("text/event-stream") == streams
