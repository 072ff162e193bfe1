"""From where an operation may be called."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_network
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api
from ..ir.source import SourceRef
from ..pointer import join

_HINT: Final = "write a network such as 10.0.0.0/8 or 2001:db8::/32, or one address"


def networks(api: Api, diagnostics: Diagnostics) -> None:
    """DH015: every network is one."""
    root = Node.of(api.document)
    places = [root.at("/x-dhatu/defaults/networks")]
    places += [
        root.at(join("paths", operation.path, operation.method.lower(), "x-dhatu", "networks"))
        for operation in api.operations
    ]
    seen: set[SourceRef] = set()
    for written in places:
        for key in ("allow", "deny"):
            listed = written.get(key) if written else None
            for node in listed.elements() if listed else ():
                problem = _problem(str(node.value))
                if problem and node.source not in seen:  # several operations inherit it from one place
                    seen.add(node.source)
                    message = f"{node.value!r} is not a network: {problem}"
                    diagnostics.add("DH015", message, node.source, hint=_HINT)


def _problem(text: str) -> str:
    try:
        network = ip_network(text)
    except ValueError as error:
        return str(error)
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None
    return "IPv4 is written as such" if mapped else ""
