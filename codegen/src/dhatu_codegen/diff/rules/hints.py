"""What schemas say that no validator asserts, and SDKs and people rely on."""

from __future__ import annotations

from collections.abc import Iterator

from ...document import Node
from ..schema.facts import canonical
from ..sides import Comparison


def schemas(comparison: Comparison) -> None:
    """DH216 default, DH217 readOnly and writeOnly, DH244 discriminator, DH247 a property that is gone."""
    before = comparison.old.root.at("/components/schemas")
    after = comparison.new.root.at("/components/schemas")
    for name, node in before.members() if before else ():
        other = after.get(name) if after else None
        if other is not None:
            compare(comparison, name, (node, other))


def compare(comparison: Comparison, where: str, nodes: tuple[Node, Node]) -> None:
    """Two schemas and all inside them, as far as their structure is the same."""
    stack = [(where, *nodes)]
    while stack:
        label, old, new = stack.pop()
        _own(comparison, label, (old, new))
        stack += _inner(label, old, new)


def _own(comparison: Comparison, label: str, nodes: tuple[Node, Node]) -> None:
    old, new = nodes
    was, now = old.get("default"), new.get("default")
    if was is not None and (now is None or canonical(was.value) != canonical(now.value)):
        text = f"the default was {canonical(was.value)}, is {canonical(now.value) if now else 'absent'}"
        comparison.add("DH216", label, f"{label}: {text}", (was, now or new))
    for keyword in ("readOnly", "writeOnly"):
        if old.flag(keyword) != new.flag(keyword):
            text = f"{label}: {keyword} was {canonical(old.flag(keyword))}, is {canonical(new.flag(keyword))}"
            comparison.add("DH217", label, text, (old.get(keyword) or old, new.get(keyword) or new))
    before, after = old.get("properties"), new.get("properties")
    for name, node in before.members() if before else ():
        if after is None or after.get(name) is None:
            text = f"{label}: the property {name!r} is gone"
            comparison.add("DH247", f"{label}.{name}", text, (node, after or new))
    _discriminator(comparison, label, (old, new))


def _discriminator(comparison: Comparison, label: str, nodes: tuple[Node, Node]) -> None:
    old, new = (node.get("discriminator") for node in nodes)
    if old is None:
        return
    if new is None or old.text("propertyName") != new.text("propertyName"):
        is_now = new.text("propertyName") if new else "absent"
        text = f"{label}: the discriminator was {old.text('propertyName')}, is {is_now}"
        comparison.add("DH244", label, text, (old, new or nodes[1]))
        return
    before, after = old.get("mapping"), new.get("mapping")
    for value, node in before.members() if before else ():
        other = after.get(value) if after else None
        if other is None or other.value != node.value:
            meaning = canonical(other.value) if other else "nothing"
            text = f"{label}: {value!r} stood for {canonical(node.value)}, stands for {meaning}"
            comparison.add("DH244", label, text, (node, other or new))


def _inner(label: str, old: Node, new: Node) -> Iterator[tuple[str, Node, Node]]:
    for keyword in ("properties", "patternProperties"):
        before, after = old.get(keyword), new.get(keyword)
        for name, node in before.members() if before else ():
            other = after.get(name) if after else None
            if other is not None:
                yield f"{label}.{name}", node, other
    for keyword in ("items", "additionalProperties"):
        one, other = old.get(keyword), new.get(keyword)
        if one is not None and other is not None:
            yield f"{label}[]", one, other
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        first, second = old.get(keyword), new.get(keyword)
        if first is not None and second is not None:
            for one, other in zip(first.elements(), second.elements(), strict=False):
                if one.text("$ref") == other.text("$ref"):
                    yield label, one, other
