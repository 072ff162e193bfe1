"""What mentions itself, by whatever way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def circles_of(mentions: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components of a graph, each after those that it mentions (Tarjan, 1972).

    >>> circles_of({"a": ["b"], "b": ["a", "c"], "c": []})
    [('c',), ('a', 'b')]
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in mentions:
        path = [(root, iter(mentions[root]))] if root not in index else []
        while path:
            name, others = path[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            for other in others:
                if other not in index:
                    path.append((other, iter(mentions[other])))
                    break
                if other in on_stack:
                    low[name] = min(low[name], index[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[name])
                if low[name] == index[name]:
                    circle = [stack.pop()]
                    while circle[-1] != name:
                        circle.append(stack.pop())
                    on_stack.difference_update(circle)
                    found.append(tuple(sorted(circle)))
    return found
