"""Versions, accepted breaks, and changes as diagnostics."""

from __future__ import annotations

import pytest
from codegen.diff.documents import DOCUMENT, TODAY, changed, changes, read
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.diff.report import Answer, Question, report

BREAK = ("maximum: 50", "maximum: 40")
ADDITION = ("- {name: limit,", "- {name: q, in: query, schema: {type: string}}\n      - {name: limit,")


def reported(*edits: tuple[str, str], accepted: str = "", notes: bool = True) -> tuple[Answer, Diagnostics]:
    diagnostics = Diagnostics()
    question = Question(
        old=read(DOCUMENT),
        new=read(changed(*edits)),
        accepted=read(accepted) if accepted else None,
        today=TODAY,
        notes=notes,
    )
    return report(question, diagnostics), diagnostics


def entry(**more: str) -> str:
    listed = {"reason": "nobody calls it", "expires": "2026-12-31", **more}
    return "breaks:\n- " + "\n  ".join(f"{key}: {value!r}" for key, value in listed.items())


def test_a_change_names_its_concern_both_places_and_how_to_accept_it() -> None:
    _, diagnostics = reported(BREAK, ("version: 1.0.0", "version: 2.0.0"))
    (found,) = diagnostics.all
    (change,) = changes(BREAK)
    assert found.code == "DH205"
    assert found.message == "WIRE: GET /things/{id} query parameter limit: maximum was 50, is 40"
    assert str(found.source) == "spec.yaml:14:58"
    assert [(related.message, str(related.source)) for related in found.related] == [
        ("was here", "spec.yaml:14:58")
    ]
    assert f"list the id {change.fingerprint} in spec/accepted-breaks.yaml" in found.hint


@pytest.mark.parametrize(
    ("edits", "asked"),
    [
        ([], "none"),
        ([("title: Test", "title: A test")], "patch"),
        ([ADDITION], "minor"),
        ([("default: none", "default: some")], "minor"),
        ([BREAK], "major"),
    ],
)
def test_the_changes_ask_for_a_version(edits: list[tuple[str, str]], asked: str) -> None:
    answer, diagnostics = reported(*edits)
    assert (answer.asked, answer.given) == (asked, "none")
    assert ("DH253" in [found.code for found in diagnostics.all]) == (asked != "none")


def test_a_version_that_grew_enough_is_not_remarked_upon() -> None:
    answer, diagnostics = reported(ADDITION, ("version: 1.0.0", "version: 1.1.0"))
    assert (answer.asked, answer.given) == ("minor", "minor")
    assert [found.code for found in diagnostics.all] == ["DH219"]


def test_the_fingerprint_of_a_change_does_not_depend_on_lines() -> None:
    (one,) = changes(BREAK)
    moved = changed(("servers:\n", "\n\nservers:\n"))
    (other,) = changes(BREAK, before=moved)
    assert one.old != other.old
    assert one.fingerprint == other.fingerprint


def test_an_accepted_break_is_a_note_until_it_expires() -> None:
    (change,) = changes(BREAK)
    answer, diagnostics = reported(BREAK, accepted=entry(id=change.fingerprint))
    assert diagnostics.errors == ()
    assert [found.hint for found in diagnostics.all if found.code == "DH254"] == [
        "accepted until 2026-12-31: nobody calls it"
    ]
    assert answer.asked == "patch"
    _, diagnostics = reported(BREAK, accepted=entry(rule="DH205", where=change.where))
    assert {found.code for found in diagnostics.all} == {"DH253", "DH254"}


def test_an_expired_acceptance_accepts_nothing() -> None:
    (change,) = changes(BREAK)
    accepted = entry(id=change.fingerprint, expires="2026-05-31")
    _, diagnostics = reported(BREAK, accepted=accepted, notes=False)
    assert sorted(found.code for found in diagnostics.all) == ["DH205", "DH256"]


def test_an_acceptance_of_nothing_is_remarked_upon() -> None:
    _, diagnostics = reported(accepted=entry(id="0123456789ab"))
    assert [(found.code, str(found.source)) for found in diagnostics.all] == [("DH257", "spec.yaml:2:3")]


@pytest.mark.parametrize(
    "more",
    [
        {"id": ""},
        {"rule": "DH999", "where": "x"},
        {"rule": "DH205"},
        {"id": "a", "reason": " "},
        {"id": "a", "expires": "soon"},
        {"id": "a", "until": "2026-12-31"},
    ],
)
def test_an_acceptance_says_what_why_and_until_when(more: dict[str, str]) -> None:
    _, diagnostics = reported(accepted=entry(**more))
    assert [found.code for found in diagnostics.all] == ["DH255"]


def test_without_notes_only_what_breaks_is_told() -> None:
    _, diagnostics = reported(ADDITION, notes=False)
    assert diagnostics.all == ()
