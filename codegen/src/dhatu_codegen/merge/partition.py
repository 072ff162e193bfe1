"""Which vertices of a graph cannot be told apart by walking it."""

from __future__ import annotations

from collections.abc import Sequence


def partition(signatures: Sequence[str], edges: Sequence[Sequence[int]]) -> list[int]:
    """The block of every vertex; two vertices share one exactly where all walks from both look alike.

    Vertices of equal signature have equally many edges, and the n-th edge of one answers to the n-th of the
    other. Starts from the coarsest partition and splits by the smaller half: O(m log n) steps for m edges
    (Hopcroft, "An n log n algorithm for minimizing states in a finite automaton", 1971).
    """
    numbers: dict[str, int] = {}
    block_of = [numbers.setdefault(signature, len(numbers)) for signature in signatures]
    blocks: list[set[int]] = [set() for _ in numbers]
    incoming: list[list[tuple[int, int]]] = [[] for _ in signatures]
    for vertex, block in enumerate(block_of):
        blocks[block].add(vertex)
        for position, target in enumerate(edges[vertex]):
            incoming[target].append((position, vertex))
    waiting = list(range(len(blocks)))
    queued = set(waiting)
    while waiting:
        splitter = waiting.pop()
        queued.discard(splitter)
        for origins in _origins(blocks[splitter], incoming):
            for block in _split(origins, blocks, block_of):
                if block not in queued:
                    queued.add(block)
                    waiting.append(block)
    return block_of


def _origins(splitter: set[int], incoming: list[list[tuple[int, int]]]) -> list[list[int]]:
    """The vertices with an edge into the splitter, by the position of that edge."""
    found: dict[int, list[int]] = {}
    for vertex in splitter:
        for position, origin in incoming[vertex]:
            found.setdefault(position, []).append(origin)
    return list(found.values())


def _split(origins: list[int], blocks: list[set[int]], block_of: list[int]) -> list[int]:
    """Split every block of which only a part is among the origins; the new blocks, each the smaller half."""
    parts: dict[int, set[int]] = {}
    for vertex in origins:
        parts.setdefault(block_of[vertex], set()).add(vertex)
    created: list[int] = []
    for block, part in parts.items():
        if len(part) == len(blocks[block]):
            continue
        blocks[block] -= part
        if len(part) > len(blocks[block]):
            blocks[block], part = part, blocks[block]
        for vertex in part:
            block_of[vertex] = len(blocks)
        created.append(len(blocks))
        blocks.append(part)
    return created
