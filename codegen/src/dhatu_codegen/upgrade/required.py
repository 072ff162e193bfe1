"""`required` beside `readOnly` and `writeOnly`, which OpenAPI 3.0 limits to answers and to requests.

3.1 dropped the limit with the rest of its own schema language: what is required there is required both ways.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from ..diagnostics import Diagnostics
from ..document import Map, Node, Seq
from ..ir.schema import Json
from ..path_item import operations
from ..pointer import of_reference
from .shapes import EVERY_KEY, SHAPES

Way: TypeAlias = Literal["request", "answer"]

_OTHER: Final[dict[Way, Way]] = {"request": "answer", "answer": "request"}
_LIMITED_TO: Final[dict[str, Way]] = {"readOnly": "answer", "writeOnly": "request"}


def limit_required(document: Map, diagnostics: Diagnostics) -> None:
    """Take from `required` what never travels the way that a schema does; say so where it goes both ways."""
    ways = _Ways(Node.of(document))
    for schema, travels in ways.found.values():
        required, properties = schema.get("required"), schema.get("properties")
        if not isinstance(required, Seq) or not isinstance(properties, Map):
            continue
        kept = Seq(required.source)
        for name, place in zip(required, required.places, strict=True):
            limit = ways.limit(properties.get(name)) if isinstance(name, str) else None
            if limit is None or limit in travels:
                kept.put(name, place)
            if limit is not None and len(travels) > 1:
                message = f"OpenAPI 3.0 requires {name!r} in {limit}s only, 3.1 in {_OTHER[limit]}s as well"
                hint = "describe requests and answers by schemas of their own to be sure"
                diagnostics.add("DH062", message, place, hint=hint)
        if not kept:
            del schema["required"]
        elif len(kept) < len(required):
            schema.put("required", kept, schema.places["required"])


class _Ways:
    """Which schemas travel in requests, which in answers, and which in both."""

    def __init__(self, root: Node) -> None:
        self.found: dict[int, tuple[Map, set[Way]]] = {}
        self._root = root
        self._seen: set[tuple[int, str, Way]] = set()
        paths, webhooks = root.get("paths"), root.get("webhooks")
        for _, item in paths.members() if paths else ():
            self._item(item, "request")
        for _, item in webhooks.members() if webhooks else ():
            self._item(item, "answer")

    def limit(self, schema: Json) -> Way | None:
        """The one way that a property travels; None where it goes both."""
        seen: set[str] = set()
        while isinstance(schema, Map) and isinstance(reference := schema.get("$ref"), str):
            if reference in seen:
                return None
            seen.add(reference)
            schema = self._target(reference)
        flags: list[Way] = []
        for flag, way in _LIMITED_TO.items():
            if isinstance(schema, Map) and schema.get(flag) is True:
                flags.append(way)
        return flags[0] if len(flags) == 1 else None

    def _item(self, item: Node, way: Way) -> None:
        """What a caller sends is `way`; a callback or webhook is sent to the caller."""
        if isinstance(item.value, Map) and isinstance(reference := item.value.get("$ref"), str):
            item = self._root.at(of_reference(reference) or "") or item
        for _, operation in operations(item):
            callbacks = operation.get("callbacks")
            for _, callback in callbacks.members() if callbacks else ():
                for _, inner in callback.members():
                    self._item(inner, _OTHER[way])
            if isinstance(operation.value, Map):
                self._visit(operation.value.get("requestBody"), "requestBody", way)
                self._visit(operation.value.get("responses"), "responses", _OTHER[way])

    def _visit(self, value: Json, kind: str, way: Way) -> None:
        stack = [(value, kind)]
        while stack:
            value, kind = stack.pop()
            if not isinstance(value, Map) or (id(value), kind, way) in self._seen:
                continue
            self._seen.add((id(value), kind, way))
            if kind == "schema":
                self.found.setdefault(id(value), (value, set()))[1].add(way)
            if isinstance(reference := value.get("$ref"), str):
                stack.append((self._target(reference), kind))
            shape = SHAPES.get(kind, {})
            for key, member in value.items():
                form, inner = shape.get(key) or shape.get(EVERY_KEY) or ("", "")
                if form == "one":
                    stack.append((member, inner))
                elif form == "list" and isinstance(member, list):
                    stack += [(element, inner) for element in member]
                elif form == "map" and isinstance(member, dict):
                    stack += [(element, inner) for element in member.values()]

    def _target(self, reference: str) -> Json:
        pointer = of_reference(reference)
        target = self._root.at(pointer) if pointer is not None else None
        return target.value if target else None
