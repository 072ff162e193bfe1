"""What code that uses an SDK is written against: names, arguments, types, packages."""

from __future__ import annotations

from collections.abc import Iterator

from ...document import Node
from ...ir.operation import Operation
from ..change import ADDED
from ..sides import Comparison, Endpoint, path_parameters


def names(comparison: Comparison) -> None:
    """DH240: a method is called otherwise. DH246: an operationId is, which the SDK does not show."""
    for old, was, new, now in comparison.operations:
        places = (old.node.get("operationId") or old.node, new.node.get("operationId") or new.node)
        if was.key != now.key:
            comparison.add("DH240", new.name, f"the method {was.key} is now called {now.key}", places)
        elif was.operation_id != now.operation_id:
            text = f"the operationId of {now.key} was {was.operation_id!r}, is {now.operation_id!r}"
            comparison.add("DH246", new.name, text, places)
        if was.tags != now.tags:
            tags = (", ".join(was.tags) or "none", ", ".join(now.tags) or "none")
            text = f"the tags of {now.key} were {tags[0]}, are {tags[1]}"
            comparison.add(ADDED, new.name, text, (old.node.get("tags") or old.node, new.node))


def components(comparison: Comparison) -> None:
    """DH241: a type is called otherwise, or gone."""
    before = comparison.old.root.at("/components/schemas")
    after = comparison.new.root.at("/components/schemas")
    old = dict(before.members()) if before else {}
    new = dict(after.members()) if after else {}
    fresh = {
        comparison.new.side.digest(node.value): (name, node) for name, node in new.items() if name not in old
    }
    for name, node in old.items():
        if name in new:
            continue
        renamed = fresh.get(comparison.old.side.digest(node.value))
        if renamed is not None:
            text = f"the type {name} is now called {renamed[0]}"
            comparison.add("DH241", f"type {name}", text, (node, renamed[1]))
        else:
            comparison.add("DH241", f"type {name}", f"the type {name} is gone", (node, None))


def arguments(comparison: Comparison) -> None:
    """DH242: an argument from the path is called otherwise. DH243: the order of positional ones changed."""
    for old, was, new, now in comparison.operations:
        renamed = dict(zip(path_parameters(old.path), path_parameters(new.path), strict=True))
        for before, after in renamed.items():
            if before != after:
                text = f"the argument {before} of {now.key} is now called {after}"
                comparison.add("DH242", new.name, text, (old.item, new.item))
        expected = tuple(renamed.get(name, name) for name in was.positional)
        if now.positional[: len(expected)] != expected:
            order = (", ".join(was.positional), ", ".join(now.positional) or "none")
            text = f"the positional arguments of {now.key} were {order[0]}, are {order[1]}"
            comparison.add("DH243", new.name, text, (old.node, new.node))
        _pagination(comparison, (old, was), (new, now))


def _pagination(
    comparison: Comparison, before: tuple[Endpoint, Operation], after: tuple[Endpoint, Operation]
) -> None:
    """DH245: the answer comes page by page, or no longer, or by other properties; a job is one no more."""
    (old, was), (new, now) = before, after
    if was.job is not None and now.job is None:
        text = f"the answer of {now.key} is no longer a job that can be waited for"
        comparison.add("DH245", new.name, text, (old.node, new.node))
    if was.pagination != now.pagination:
        word = "comes page by page" if was.pagination is None else "is paged otherwise, or no longer"
        comparison.add("DH245", new.name, f"the answer of {now.key} {word}", (old.node, new.node))


def tokens(comparison: Comparison) -> None:
    """DH249: the operation trades a kind of credential for tokens no longer, or those of another scheme."""
    for old, was, new, now in comparison.operations:
        if was.tokens is None:
            continue
        if now.tokens is None or now.tokens.scheme != was.tokens.scheme:
            text = f"{now.key} no longer trades anything for tokens of {was.tokens.scheme}"
            comparison.add("DH249", new.name, text, (old.node, new.node))
            continue
        for grant in (grant for grant in was.tokens.grants if grant not in now.tokens.grants):
            text = f"{now.key} no longer trades the grant {grant} for tokens"
            comparison.add("DH249", new.name, text, (old.node, new.node))


def packages(comparison: Comparison) -> None:
    """DH248: the package or the client class is called otherwise."""
    old, new = (half.root.at("/x-dhatu/sdk") for half in (comparison.old, comparison.new))
    for where, was in _leaves("sdk", old) if old and new else ():
        now = new.at(was.pointer.removeprefix("/x-dhatu/sdk")) if new else None
        if now is None or now.value != was.value:
            text = f"{where} was {was.value}, is {now.value if now else 'absent'}"
            comparison.add("DH248", where, text, (was, now or new))


def _leaves(where: str, node: Node) -> Iterator[tuple[str, Node]]:
    for key, member in node.members():
        yield from _leaves(f"{where}.{key}", member)
    if not isinstance(node.value, dict):
        yield where, node
