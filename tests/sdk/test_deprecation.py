"""Operations that are to end, as their servers say."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from dhatu_client._answers.deprecation import deprecation_notice
from sdk.support import Caller, Server, operation

NOW_S = 1_700_000_000.0  # 14 Nov 2023


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, ""),
        ({"deprecation": "@1688169599"}, "o is deprecated since 2023-06-30"),
        ({"deprecation": "@1798761600"}, "o is deprecated from 2027-01-01"),
        ({"deprecation": "true"}, "o is deprecated"),
        ({"deprecation": "Fri, 30 Jun 2023 23:59:59 GMT"}, "o is deprecated since 2023-06-30"),
        ({"deprecation": "@99999999999999999999"}, "o is deprecated from @100000000000000000000"),
        ({"sunset": "Sun, 30 Jun 2024 23:59:59 GMT"}, "o ends on 2024-06-30"),
        ({"sunset": "Fri, 30 Jun 2023 23:59:59 GMT"}, "o ended on 2023-06-30"),
        ({"sunset": "soon"}, ""),
        (
            {"deprecation": "@1688169599", "sunset": "Sun, 30 Jun 2024 23:59:59 GMT"},
            "o is deprecated since 2023-06-30 and ends on 2024-06-30",
        ),
    ],
)
def test_what_is_said(headers: dict[str, str], said: str) -> None:
    assert deprecation_notice("o", headers, NOW_S) == said


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ('<https://d.test/a>; rel="deprecation"; type="text/html"', "https://d.test/a"),
        ("<https://d.test/a>; rel=sunset", "https://d.test/a"),
        ('<https://d.test/n>; rel="next", <https://d.test/v2?a=1,2>; rel="successor-version"', "v2?a=1,2"),
    ],
)
def test_where_more_is_said(link: str, url: str) -> None:
    assert deprecation_notice("o", {"deprecation": "true", "link": link}, NOW_S).endswith(url)


def test_other_links_are_not_named() -> None:
    said = deprecation_notice("o", {"deprecation": "true", "link": '<https://d.test/n>; rel="next"'}, NOW_S)
    assert said == "o is deprecated"


def test_a_client_warns_once_of_each_operation(connect: Callable[..., Caller]) -> None:
    server = Server(httpx.Response(200, json=[], headers={"deprecation": "@1688169599"}))
    caller = connect(server)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for key in ("one.get", "one.get", "other.get"):
            caller.call(operation(key=key))
    told: list[Any] = [(str(warning.message), warning.category) for warning in caught]
    assert told == [
        ("one.get is deprecated since 2023-06-30", DeprecationWarning),
        ("other.get is deprecated since 2023-06-30", DeprecationWarning),
    ]
