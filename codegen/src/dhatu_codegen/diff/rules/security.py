"""Who may call: the requirements as they hold after inheritance, and the schemes that they name."""

from __future__ import annotations

from typing import TypeAlias

from ...document import Node
from ..change import ADDED
from ..schema.facts import canonical
from ..sides import Comparison, Endpoint, Half

Alternative: TypeAlias = dict[str, frozenset[str]]
"""Scopes by scheme, all needed together; empty where anybody may call."""


def requirements(comparison: Comparison) -> None:
    """DH230 to DH232: whoever could call can still call, with the same credentials."""
    for old, new in comparison.pairs:
        before, after = _effective(comparison.old, old), _effective(comparison.new, new)
        places = (old.node.get("security") or old.node, new.node.get("security") or new.node)
        for one in before:
            if not any(_suffices(one, other) for other in after):
                code, text = _lost(one, after)
                comparison.add(code, new.name, f"{new.name} {text}", places)
        for other in after:
            if not any(_suffices(one, other) for one in before):
                text = f"{new.name} may also be called with {_named(other)}"
                if all(_suffices(one, other) or _suffices(other, one) for one in before):
                    continue
                comparison.add(ADDED, new.name, text, places)


def _effective(half: Half, endpoint: Endpoint) -> list[Alternative]:
    """The operation's own requirements, else those of the root (OpenAPI 3.1, Operation Object)."""
    written = endpoint.node.get("security") or half.root.get("security")
    listed = [
        {scheme: frozenset(alternative.texts(scheme)) for scheme, _ in alternative.members()}
        for alternative in (written.elements() if written else ())
    ]
    return listed or [{}]


def _suffices(held: Alternative, wanted: Alternative) -> bool:
    return all(scheme in held and scopes <= held[scheme] for scheme, scopes in wanted.items())


def _lost(held: Alternative, after: list[Alternative]) -> tuple[str, str]:
    if not held:
        return "DH230", f"was open to anybody and now needs {_named(after[0])}"
    for wanted in after:
        if wanted.keys() <= held.keys():
            more = sorted(
                f"{scheme}: {scope}" for scheme, scopes in wanted.items() for scope in scopes - held[scheme]
            )
            return "DH232", f"now needs the scope {', '.join(more)}"
    return "DH231", f"can no longer be called with {_named(held)}"


def _named(alternative: Alternative) -> str:
    parts = [
        f"{scheme} ({', '.join(sorted(scopes))})" if scopes else scheme
        for scheme, scopes in alternative.items()
    ]
    return " and ".join(parts) or "no credentials"


def schemes(comparison: Comparison) -> None:
    """DH233: the credentials of a scheme are sent in another way, or got from another place."""
    before = comparison.old.root.at("/components/securitySchemes")
    after = comparison.new.root.at("/components/securitySchemes")
    for name, written in before.members() if before else ():
        other = after.get(name) if after else None
        if other is None:
            continue  # noticed where an operation needs it
        old, new = comparison.old.follow(written), comparison.new.follow(other)
        for key in ("type", "in", "name", "scheme", "openIdConnectUrl"):
            was, now = old.text(key), new.text(key)
            if was == now or (key == "scheme" and was.lower() == now.lower()):
                continue
            text = f"{key} of the security scheme {name} was {was or 'absent'}, is {now or 'absent'}"
            comparison.add(
                "DH233", f"security scheme {name}", text, (old.get(key) or old, new.get(key) or new)
            )
        _flows(comparison, name, (old, new))


def _flows(comparison: Comparison, name: str, nodes: tuple[Node, Node]) -> None:
    old, new = (node.get("flows") for node in nodes)
    for kind, flow in old.members() if old else ():
        other = new.get(kind) if new else None
        where = f"security scheme {name}, flow {kind}"
        if other is None:
            comparison.add("DH233", where, f"the flow {kind} of {name} is gone", (flow, nodes[1]))
            continue
        for key in ("authorizationUrl", "tokenUrl", "refreshUrl"):
            if flow.text(key) != other.text(key):
                text = f"{key} of {name} was {flow.text(key) or 'absent'}, is {other.text(key) or 'absent'}"
                comparison.add("DH233", where, text, (flow.get(key) or flow, other.get(key) or other))
        scopes, left = flow.get("scopes"), other.get("scopes")
        for scope, written in scopes.members() if scopes else ():
            if left is None or left.get(scope) is None:
                text = f"the scope {canonical(scope)} of {name} is gone"
                comparison.add("DH233", where, text, (written, left or other))
