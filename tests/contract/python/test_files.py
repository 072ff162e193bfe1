"""The cases themselves: well formed, told apart, and as many as were promised."""

from __future__ import annotations

import json
from collections import Counter

import jsonschema_rs
import pytest

from .files import cases, schema, topics

_TOPICS = topics()


@pytest.mark.parametrize("name", _TOPICS)
def test_every_file_follows_the_schema(name: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(schema())
    assert [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(_TOPICS[name])] == []


@pytest.mark.parametrize("name", _TOPICS)
def test_a_case_bears_the_name_of_its_topic(name: str) -> None:
    topic = name.removesuffix(".json")
    assert _TOPICS[name]["topic"] == topic
    assert [case["id"] for case in _TOPICS[name]["cases"] if case["id"].split("/")[0] != topic] == []


def test_no_two_cases_have_one_id() -> None:
    counts = Counter(case["id"] for case in cases())
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_two_cases_are_the_same() -> None:
    shown = Counter(json.dumps([case["given"], case["expected"]], sort_keys=True) for case in cases())
    assert [case for case, count in shown.items() if count > 1] == []


def test_there_are_enough() -> None:
    assert len(cases()) >= 150
