"""What travels: parameters, bodies, responses and their headers, in the direction in which they travel.

A webhook or a callback is the other way round: its body comes from the API, its answers go to it.
"""

from __future__ import annotations

from typing import Final

from ...document import Node
from ..change import ADDED
from ..sides import Comparison, Endpoint, path_parameters
from .schemas import Direction, Exchange, Found, compare_media, compare_schema

_DEFAULT_STYLE: Final = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_STATUS_LENGTH: Final = 3


def exchanges(comparison: Comparison) -> None:
    """DH201 to DH214, DH218: every operation, webhook and callback that both documents have."""
    found = Found(comparison)
    for old, new in comparison.pairs:
        _compare(Exchange(found=found, old=old, new=new, where=new.name))
        called, calls = comparison.old.callbacks(old), comparison.new.callbacks(new)
        for key, callback in called.items():
            where = f"{new.name}, callback {key[0]}"
            if key in calls:
                _compare(Exchange(found=found, old=callback, new=calls[key], where=where, inverted=True))
            else:
                comparison.add("DH215", where, f"{where} is no longer sent", (callback.node, None))
    for key, webhook in comparison.old.webhooks.items():
        other = comparison.new.webhooks.get(key)
        if other is not None:
            where = f"webhook {webhook.path}"
            _compare(Exchange(found=found, old=webhook, new=other, where=where, inverted=True))
    found.flush()


def _compare(exchange: Exchange) -> None:
    _parameters(exchange)
    _body(exchange)
    _responses(exchange)


def _parameters(exchange: Exchange) -> None:
    comparison = exchange.comparison
    before, after = (
        _listed(comparison, endpoint, first=index == 0)
        for index, endpoint in enumerate((exchange.old, exchange.new))
    )
    moved = {name for place, name in after if (place, name) not in before}
    for key, old in before.items():
        new = after.get(key)
        where = f"{exchange.where}, {key[0]} parameter {old.text('name')}"
        if new is not None:
            _parameter(exchange, where, (old, new))
        elif key[1] in moved:
            place = next(place for place, name in after if name == key[1] and (place, name) not in before)
            text = f"{where} moved to the {place}"
            comparison.add("DH202", where, text, (old, after[place, key[1]]))
        else:
            comparison.add("DH218", where, f"{where} is gone", (old, None))
    for key, new in after.items():
        if key in before:
            continue
        where = f"{exchange.where}, {key[0]} parameter {new.text('name')}"
        demanded = new.flag("required") and not exchange.inverted
        text = f"{where} is new and {'required' if demanded else 'optional'}"
        comparison.add("DH201" if demanded else ADDED, where, text, (None, new))


def _listed(comparison: Comparison, endpoint: Endpoint, *, first: bool) -> dict[tuple[str, str], Node]:
    """By place and name; one in the path by its position there, one in a header in lower case."""
    half = comparison.old if first else comparison.new
    order = path_parameters(endpoint.path)
    found: dict[tuple[str, str], Node] = {}
    for holder in (endpoint.item, endpoint.node):
        listed = holder.get("parameters")
        for written in listed.elements() if listed else ():
            node = half.follow(written)
            place, name = node.text("in"), node.text("name")
            if place == "path" and name in order:
                name = f"{{{order.index(name)}}}"
            found[place, name.lower() if place == "header" else name] = node
    return found


def _parameter(exchange: Exchange, where: str, nodes: tuple[Node, Node]) -> None:
    old, new = nodes
    comparison = exchange.comparison
    was, now = old.flag("required"), new.flag("required")
    if now and not was and not exchange.inverted:
        comparison.add("DH201", where, f"{where} became required", (old, new.get("required") or new))
    elif was and not now:
        code = "DH210" if exchange.inverted else ADDED
        comparison.add(code, where, f"{where} became optional", (old, new))
    before, after = _serialised(old), _serialised(new)
    for key, value in before.items():
        if value != after[key]:
            text = f"{where}: {key} was {value}, is {after[key]}"
            comparison.add("DH202", where, text, (old.get(key) or old, new.get(key) or new))
    direction: Direction = "response" if exchange.inverted else "request"
    compare_schema(exchange, direction, (_carrier(old), _carrier(new)), "schema")


def _serialised(node: Node) -> dict[str, str]:
    """How the value is written (OpenAPI 3.1, Parameter Object), the defaults filled in."""
    content = node.get("content")
    style = node.text("style", _DEFAULT_STYLE.get(node.text("in"), "simple"))
    return {
        "style": style,
        "explode": str(node.flag("explode", style == "form")).lower(),
        "allowReserved": str(node.flag("allowReserved")).lower(),
        "content": next((name for name, _ in content.members()), "absent") if content else "absent",
    }


def _carrier(node: Node) -> Node:
    content = node.get("content")
    return next((carrier for _, carrier in content.members()), node) if content else node


def _body(exchange: Exchange) -> None:
    comparison = exchange.comparison
    written = exchange.old.node.get("requestBody"), exchange.new.node.get("requestBody")
    old = comparison.old.follow(written[0]) if written[0] else None
    new = comparison.new.follow(written[1]) if written[1] else None
    where = f"{exchange.where}, body"
    if old is None and new is None:
        return
    if old is None or new is None:
        demanded = new is not None and new.flag("required") and not exchange.inverted
        code = "DH203" if demanded or new is None else ADDED
        word = "gone" if new is None else "new and required" if demanded else "new and optional"
        comparison.add(code, where, f"{where} is {word}", (old, new))
        return
    was, now = old.flag("required"), new.flag("required")
    if was != now:
        narrowed = was if exchange.inverted else now
        text = f"{where} became {'required' if now else 'optional'}"
        comparison.add("DH203" if narrowed else ADDED, where, text, (old, new.get("required") or new))
    compare_media(exchange, where, (old, new), "response" if exchange.inverted else "request")


def _responses(exchange: Exchange) -> None:
    comparison = exchange.comparison
    before, after = (endpoint.node.get("responses") for endpoint in (exchange.old, exchange.new))
    old = {status: comparison.old.follow(node) for status, node in (before.members() if before else ())}
    new = {status: comparison.new.follow(node) for status, node in (after.members() if after else ())}
    for status, was in old.items():
        if status.startswith("x-"):
            continue
        where = f"{exchange.where}, response {status}"
        now = new.get(status)
        if now is None:
            success = status[0] in "23"
            text = f"{where} is gone"
            comparison.add("DH207" if success else "DH208", where, text, (was, None))
        held = now or _fallback(new, status)
        if held is not None:
            _response(exchange, where, (was, held))
    for status, now in new.items():
        if status in old or status.startswith("x-"):
            continue
        where = f"{exchange.where}, response {status}"
        comparison.add(ADDED, where, f"{where} is new", (None, now))
        before_it = _fallback(old, status)
        if before_it is not None:
            _response(exchange, where, (before_it, now))


def _fallback(responses: dict[str, Node], status: str) -> Node | None:
    """The response that holds for a status that is not listed: its range, else the default."""
    spread = f"{status[0]}XX" if len(status) == _STATUS_LENGTH else ""
    return responses.get(spread) or responses.get("default")


def _response(exchange: Exchange, where: str, nodes: tuple[Node, Node]) -> None:
    direction: Direction = "request" if exchange.inverted else "response"
    compare_media(exchange, where, nodes, direction)
    if not exchange.inverted:
        _headers(exchange, where, nodes)


def _headers(exchange: Exchange, where: str, nodes: tuple[Node, Node]) -> None:
    comparison = exchange.comparison
    before, after = (node.get("headers") for node in nodes)
    left = {name.lower(): node for name, node in (after.members() if after else ())}
    for name, written in before.members() if before else ():
        old, header = comparison.old.follow(written), f"{where}, header {name}"
        other = left.get(name.lower())
        if other is None:
            code = "DH213" if old.flag("required") else "DH214"
            comparison.add(code, header, f"{header} is gone", (old, nodes[1]))
            continue
        new = comparison.new.follow(other)
        if old.flag("required") and not new.flag("required"):
            comparison.add("DH213", header, f"{header} became optional", (old, new))
        if old.flag("explode") != new.flag("explode"):
            comparison.add("DH202", header, f"{header}: explode changed", (old, new))
        compare_schema(exchange, "response", (_carrier(old), _carrier(new)), "schema")
