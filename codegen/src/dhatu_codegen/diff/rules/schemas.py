"""Media types and schemas of one exchange; the same difference in many operations is told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from ...document import Node
from ..change import ADDED, Change
from ..labels import label_of
from ..schema.conjunction import Conjunction
from ..schema.difference import Certainty, Difference
from ..schema.side import Part, Side
from ..sides import Comparison, Endpoint
from . import hints

Direction: TypeAlias = Literal["request", "response"]
"""request: what the API takes, so the new schema must contain the old. response: what it gives, reversed."""

_CODES: Final[dict[tuple[Direction, Certainty], str]] = {
    ("request", "sure"): "DH205",
    ("request", "enum"): "DH205",
    ("request", "maybe"): "DH206",
    ("request", "undeclared"): ADDED,
    ("response", "sure"): "DH210",
    ("response", "enum"): "DH212",
    ("response", "maybe"): "DH211",
    ("response", "undeclared"): "DH211",
}
_USERS_SHOWN: Final = 2


class Found:
    """Differences between schemas, and where they are used."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison: Final = comparison
        self._users: dict[Change, dict[str, None]] = {}

    def add(self, direction: Direction, difference: Difference, user: str) -> None:
        """Remember a difference, and that `user` is concerned."""
        request = direction == "request"
        old, new = difference.narrow, difference.wide
        says = (difference.narrow_says, difference.wide_says)
        if not request:
            old, new, says = new, old, (says[1], says[0])
        where = label_of(new.pointer, self.comparison.new.root)
        where = where or label_of(old.pointer, self.comparison.old.root)
        change = Change(
            code=_CODES[direction, difference.certainty],
            where=where,
            text=f"{where}: {difference.subject} was {says[0]}, is {says[1]}",
            old=old.source,
            new=new.source,
        )
        self._users.setdefault(change, {})[f"{direction} of {user}"] = None

    def flush(self) -> None:
        """Hand everything over, each difference with the operations that it concerns."""
        for change, users in self._users.items():
            listed = list(users)
            more = f" and {len(listed) - _USERS_SHOWN} more" if len(listed) > _USERS_SHOWN else ""
            hint = f"in the {', the '.join(listed[:_USERS_SHOWN])}{more}"
            self.comparison.changes.append(replace(change, hint=hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One operation, webhook or callback in both documents."""

    found: Found
    old: Endpoint
    new: Endpoint
    where: str
    inverted: bool = False
    """The API is the one who calls."""

    @property
    def comparison(self) -> Comparison:
        return self.found.comparison


def compare_media(exchange: Exchange, where: str, nodes: tuple[Node, Node], direction: Direction) -> None:
    """DH204, DH209: a media type is gone; then the schemas of each, and how forms are written."""
    comparison = exchange.comparison
    before, after = (_media(node) for node in nodes)
    for name, old in before.items():
        new = after.get(name) or _wildcard(after, name)
        if new is None:
            code = "DH204" if direction == "request" else "DH209"
            comparison.add(code, where, f"{where}: {name} is gone", (old, nodes[1]))
            continue
        old, new = comparison.old.follow(old), comparison.new.follow(new)
        for keyword in ("schema", "itemSchema"):
            compare_schema(exchange, direction, (old, new), keyword)
        _encodings(exchange, where, (old, new))
    for name, new in after.items():
        if name not in before:
            code = "DH209" if exchange.inverted and direction == "response" else ADDED
            comparison.add(code, where, f"{where}: {name} is new", (nodes[0], new))


def _media(node: Node) -> dict[str, Node]:
    content = node.get("content")
    return {name.replace(" ", "").lower(): media for name, media in (content.members() if content else ())}


def _wildcard(media: dict[str, Node], name: str) -> Node | None:
    return media.get(f"{name.partition('/')[0]}/*") or media.get("*/*")


def _encodings(exchange: Exchange, where: str, nodes: tuple[Node, Node]) -> None:
    """DH202: a part of a form is written in another way."""
    before, after = (dict(node.members()) if (node := media.get("encoding")) else {} for media in nodes)
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        for keyword in ("contentType", "style", "explode", "allowReserved"):
            was = old.get(keyword) if old else None
            now = new.get(keyword) if new else None
            if (was.value if was else None) != (now.value if now else None):
                text = f"{where}: {keyword} of the part {name!r} changed"
                exchange.comparison.add(
                    "DH202", where, text, (was or old or nodes[0], now or new or nodes[1])
                )


def compare_schema(
    exchange: Exchange, direction: Direction, holders: tuple[Node, Node], keyword: str
) -> None:
    """DH205, DH206, DH210 to DH212: what is sent is still understood."""
    comparison = exchange.comparison
    old = _part(comparison.old.side, holders[0], keyword)
    new = _part(comparison.new.side, holders[1], keyword)
    wide, narrow = (new, old) if direction == "request" else (old, new)
    for difference in _differences(comparison, wide, narrow):
        exchange.found.add(direction, difference, exchange.where)
    if not old.made and not new.made and "components/schemas" not in new.node.pointer:
        hints.compare(comparison, label_of(new.node.pointer, comparison.new.root), (old.node, new.node))


def _part(side: Side, holder: Node, keyword: str) -> Part:
    """The schema of a holder; without one, any value at its place."""
    node = holder.get(keyword)
    if node is not None:
        return Part(side=side, node=node)
    anything = Node(
        value=True, pointer=f"{holder.pointer}/{keyword}", source=holder.source, place=holder.place
    )
    return Part(side=side, node=anything, made=True)


def _differences(comparison: Comparison, wide: Part, narrow: Part) -> Iterator[Difference]:
    """All differences; a schema that is nested too deeply is one itself."""
    try:
        found = comparison.containment.contains(wide, Conjunction(parts=(narrow,)))
    except RecursionError:
        says = "nested too deeply to be compared"
        yield Difference(
            subject="schema",
            wide_says=says,
            narrow_says=says,
            wide=wide.node,
            narrow=narrow.node,
            certainty="maybe",
        )
        return
    yield from found
