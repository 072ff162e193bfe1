"""Operations that come and go, their deprecation, and routes that take calls from others."""

from __future__ import annotations

from datetime import date

from ...document import Node
from ...ir.api import Version
from ...ir.operation import Operation
from ...lint.overlap import HOLE, Segment, common_text, split
from ..change import ADDED
from ..sides import Comparison, Endpoint, Half, shape

_FRESH = "\0"
"""A character that no literal of a path matches: it stands for whatever a hole may hold."""


def removed_and_added(comparison: Comparison) -> None:
    """DH200, DH252: an operation is gone, which is free only after its sunset. DH215: a webhook is gone."""
    old, new = comparison.old, comparison.new
    for key, endpoint in old.endpoints.items():
        if key not in new.endpoints:
            _removed(comparison, endpoint)
    for key, endpoint in new.endpoints.items():
        if key not in old.endpoints:
            comparison.add(ADDED, endpoint.name, f"{endpoint.name} is new", (None, endpoint.node))
    for key, endpoint in old.webhooks.items():
        if key not in new.webhooks:
            text = f"the webhook {endpoint.path} is no longer sent"
            comparison.add("DH215", f"webhook {endpoint.path}", text, (endpoint.node, None))
    for key, endpoint in new.webhooks.items():
        if key not in old.webhooks:
            text = f"the webhook {endpoint.path} is new"
            comparison.add(ADDED, f"webhook {endpoint.path}", text, (None, endpoint.node))


def _removed(comparison: Comparison, endpoint: Endpoint) -> None:
    name, operation = endpoint.name, endpoint.operation
    places = (endpoint.node, None)
    if operation is None or not _deprecated(comparison.old, operation):
        comparison.add("DH200", name, f"{name} was removed without having been deprecated", places)
        return
    sunset = _sunset(comparison.old, operation, endpoint.node)
    if sunset is not None and sunset < comparison.today:
        comparison.add(ADDED, name, f"{name} was removed after its sunset on {sunset}", places)
    else:
        until = f"before its sunset on {sunset}" if sunset else "without a sunset date"
        comparison.add("DH252", name, f"{name} was removed {until}", places)


def _version(half: Half, operation: Operation) -> Version | None:
    return next((version for version in half.api.versions if version.name == operation.version), None)


def _deprecated(half: Half, operation: Operation) -> bool:
    version = _version(half, operation)
    return operation.deprecated or (version is not None and version.state == "deprecated")


def _sunset(half: Half, operation: Operation, node: Node) -> date | None:
    """The operation's own date, else its version's; None where there is none, or none that is a date."""
    version = _version(half, operation)
    written = operation.sunset or node.text("x-sunset") or (version.sunset if version else "")
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return None


def lifecycle(comparison: Comparison) -> None:
    """DH250: deprecated, but until when? DH251: the sunset comes earlier than was promised, or not at all."""
    for old, was, new, now in comparison.operations:
        before = _sunset(comparison.old, was, old.node)
        after = _sunset(comparison.new, now, new.node)
        places = (old.node, new.node)
        gone = _deprecated(comparison.new, now)
        if gone and not _deprecated(comparison.old, was) and after is None:
            comparison.add("DH250", new.name, f"{new.name} is deprecated without a sunset date", places)
        if before is None or not gone:
            continue
        if after is None:
            comparison.add("DH251", new.name, f"the sunset of {new.name} on {before} was removed", places)
        elif after < before:
            text = f"the sunset of {new.name} was moved from {before} to the earlier {after}"
            comparison.add("DH251", new.name, text, places)


def shadowed_routes(comparison: Comparison) -> None:
    """DH239: a new path takes calls that another one answered: `/a/me` those of `/a/{id}`."""
    known = {shape(endpoint.path) for endpoint in comparison.old.endpoints.values()}
    fresh = {endpoint.path: endpoint for endpoint in comparison.new.endpoints.values()}
    kept = {endpoint.path: endpoint for endpoint in comparison.old.endpoints.values()}
    for path, endpoint in fresh.items():
        if shape(path) in known:
            continue
        for other, shadowed in kept.items():
            witness = _taken(split(path), split(other)) if "{" in other else ""
            if witness:
                text = f"{path} is new and answers {witness}, which {other} answered before"
                comparison.add("DH239", f"{other} and {path}", text, (shadowed.node, endpoint.node))


def _taken(fresh: tuple[Segment, ...], kept: tuple[Segment, ...]) -> str:
    """A path that both match where the first is the more specific; empty where there is none."""
    if len(fresh) != len(kept):
        return ""
    shared: list[str] = []
    for one, other in zip(fresh, kept, strict=True):
        text = common_text(one, other)
        marked = tuple(_FRESH if token == HOLE else token for token in one)
        if text is None or common_text(marked, other) is None:
            return ""
        shared.append(text)
    return "/" + "/".join(shared)
