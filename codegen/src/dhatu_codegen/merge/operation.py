"""An operation with what it inherits from its document and its path."""

from __future__ import annotations

from ..document import Map
from .service import EXTENSION, Service
from .values import canonical


def resolved(service: Service, item: Map, operation: Map, merged: Map) -> Map:
    """A copy with the servers and the `x-dhatu` of its document and path; its security it has already."""
    own = Map(operation.source)
    for key in operation:
        if key != EXTENSION:
            own.take(operation, key)
    servers = service.document.get("servers")
    inherits = "servers" not in operation and "servers" not in item
    if servers and inherits and canonical(servers) != canonical(merged.get("servers")):
        own.take(service.document, "servers")
    extension = Map(operation.places.get(EXTENSION, (operation.source, operation.source))[1])
    extension.put("service", service.name, (operation.source, operation.source))
    for level in (service.document, item, operation):
        found = level.get(EXTENSION)
        if isinstance(found, Map):
            _lay_over(extension, found)
    own.put(EXTENSION, extension, operation.places.get(EXTENSION, (operation.source, operation.source)))
    return own


def _lay_over(extension: Map, nearer: Map) -> None:
    """The nearer wins key by key; `sdk` is merged one level deeper."""
    for key, value in nearer.items():
        outer = extension.get(key)
        if key == "sdk" and isinstance(outer, Map) and isinstance(value, Map):
            both = Map(value.source)
            for source in (outer, value):
                for name in source:
                    both.take(source, name)
            extension.put(key, both, nearer.places[key])
        else:
            extension.take(nearer, key)
