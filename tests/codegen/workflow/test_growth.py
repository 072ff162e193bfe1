"""Work that grows no faster than the documents: counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from bench.synthetic import write_specs
from codegen.project import REPOSITORY
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.lint import overlap
from dhatu_codegen.lint.route_tree import RouteTree
from dhatu_codegen.pipeline import build
from hypothesis import given
from hypothesis import strategies as st


def calls(act: Callable[[], Any]) -> int:
    """How many functions of codegen are called meanwhile."""
    count = 0

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        if event == "call" and "dhatu_codegen" in frame.f_code.co_filename:
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def test_up_to_the_targets_work_grows_in_proportion_to_the_schemas(tmp_path: Path) -> None:
    counts: list[int] = []
    for schemas in (200, 800):
        root = tmp_path / str(schemas)
        write_specs(root, schemas, REPOSITORY / "spec/x-dhatu.schema.json")
        counts.append(calls(lambda root=root: build(root, targets=())))  # type: ignore[misc]
    assert counts[1] < 4.3 * counts[0]


def test_routes_are_held_against_those_alone_that_they_could_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_specs(tmp_path, 500, REPOSITORY / "spec/x-dhatu.schema.json")
    api = build(tmp_path, targets=()).api
    assert api is not None
    compared: list[object] = []

    def counted(first: object, second: object) -> str:
        compared.append((first, second))
        return ""

    monkeypatch.setattr(overlap, "overlap", counted)
    overlap.overlapping_routes(api, Diagnostics())
    assert compared == []


SEGMENTS = st.sampled_from([("a",), ("b",), ("",), ("a", ""), ("", "b")])
ROUTES = st.lists(st.lists(SEGMENTS, min_size=1, max_size=3).map(tuple), max_size=12)


@given(ROUTES)
def test_no_overlap_is_missed_by_the_tree(routes: list[tuple[tuple[str, ...], ...]]) -> None:
    tree: RouteTree[int] = RouteTree()
    for index, route in enumerate(routes):
        near = set(tree.near(route))
        assert near >= {other for other in range(index) if overlap.overlap(route, routes[other])}
        tree.add(route, index)
