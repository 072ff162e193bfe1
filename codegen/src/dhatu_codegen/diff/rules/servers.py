"""Where the API is."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...document import Node
from ..change import ADDED
from ..sides import Comparison


def servers(comparison: Comparison) -> None:
    """DH237: the same host, another base path. DH238: a server is gone, or a variable changed."""
    before, after = (_listed(half.root) for half in (comparison.old, comparison.new))
    for url, node in before.items():
        if url in after:
            _variables(comparison, url, (node, after[url]))
            continue
        host = urlsplit(url).netloc
        moved = next((other for other in after if urlsplit(other).netloc == host), None)
        if moved is not None:
            comparison.add(
                "DH237", f"server {url}", f"the server {url} moved to {moved}", (node, after[moved])
            )
        else:
            comparison.add("DH238", f"server {url}", f"the server {url} is gone", (node, None))
    for url, node in after.items():
        if url not in before:
            comparison.add(ADDED, f"server {url}", f"the server {url} is new", (None, node))


def _listed(root: Node) -> dict[str, Node]:
    """By URL; a document without servers is at the place where it was found (OpenAPI 3.1, `servers`)."""
    listed = root.get("servers")
    return {server.text("url"): server for server in (listed.elements() if listed else ())}


def _variables(comparison: Comparison, url: str, nodes: tuple[Node, Node]) -> None:
    old, new = (node.get("variables") for node in nodes)
    for name, variable in old.members() if old else ():
        other = new.get(name) if new else None
        if other is None:
            continue
        lost = set(variable.texts("enum")) - set(other.texts("enum"))
        where = f"server {url}, variable {name}"
        if lost and other.get("enum"):
            text = f"{name} of the server {url} can no longer be {', '.join(sorted(lost))}"
            comparison.add("DH238", where, text, (variable, other))
        if variable.text("default") != other.text("default"):
            text = f"{name} of the server {url} was {variable.text('default')}, is {other.text('default')}"
            comparison.add("DH238", where, text, (variable, other))
