"""Vertices share a block exactly where no walk tells them apart."""

from __future__ import annotations

from dhatu_codegen.merge.partition import partition
from hypothesis import given, settings
from hypothesis import strategies as st

Graph = tuple[list[str], list[list[int]]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 12))
    edges = [[draw(st.integers(0, size - 1)) for _ in range(draw(st.integers(0, 2)))] for _ in range(size)]
    return [f"{draw(st.booleans())}{len(listed)}" for listed in edges], edges


def by_walking(graph: Graph) -> list[int]:
    """Round after round, until a round parts nothing more."""
    signatures, edges = graph
    blocks = [sorted(set(signatures)).index(each) for each in signatures]
    while True:
        seen = [
            (blocks[vertex], *(blocks[target] for target in edges[vertex])) for vertex in range(len(edges))
        ]
        finer = [sorted(set(seen)).index(each) for each in seen]
        if len(set(finer)) == len(set(blocks)):
            return blocks
        blocks = finer


@settings(max_examples=100, deadline=None, derandomize=True)
@given(graphs())
def test_blocks_are_those_of_the_definition(graph: Graph) -> None:
    found, expected = partition(*graph), by_walking(graph)
    pairs = [(one, other) for one in range(len(found)) for other in range(one)]
    assert all((found[a] == found[b]) == (expected[a] == expected[b]) for a, b in pairs)


def test_a_long_chain_that_differs_at_its_end_is_told_apart_everywhere() -> None:
    length = 2_000
    one = [[vertex + 1] for vertex in range(length)] + [[]]
    other = [[target + length + 1 for target in targets] for targets in one]
    signatures = ["link"] * length + ["end"] + ["link"] * length + ["other end"]
    assert len(set(partition(signatures, [*one, *other]))) == 2 * (length + 1)
