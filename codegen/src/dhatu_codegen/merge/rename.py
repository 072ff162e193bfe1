"""A service's document in the words of the merged one: whatever names a component or a tag follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..diagnostics import Diagnostics
from ..document import Map, Node, Seq
from ..ir.schema import Json
from ..path_item import ADDITIONAL, METHODS, operations
from ..pointer import join, of_reference, to_reference, tokens
from ..upgrade.rewriter import ANY, Rewriter
from .paths import path_item, remaining_parameters
from .plan import Plan
from .service import Service, implied_values, schema_component
from .values import maps_of


def renamed(
    service: Service, plan: Plan, tags: Mapping[tuple[str, str], str], diagnostics: Diagnostics
) -> Service:
    """A copy in which every reference, mapping, requirement and tag says the new name."""
    names = plan.names.get(service.name, {})
    own_tags = {tag: new for (name, tag), new in tags.items() if name == service.name}
    paths = service.root.get("paths")
    owned = {path for path, _ in paths.members()} if paths else set[str]()
    if not names and not own_tags and not owned & plan.split.keys():
        return service
    return _Renaming(service, plan, own_tags, diagnostics).copy()


class _Renaming:
    def __init__(
        self, service: Service, plan: Plan, tags: Mapping[str, str], diagnostics: Diagnostics
    ) -> None:
        self._service = service
        self._names = plan.names.get(service.name, {})
        self._old_schemas = {new: old for (kind, old), new in self._names.items() if kind == "schemas"}
        self._split = plan.split
        self._tags = tags
        self._diagnostics = diagnostics

    def copy(self) -> Service:
        transforms = {
            ANY: (self._references,),
            "discriminator": (self._mapping,),
            "schema": (self._implied_by_variants,),
            "securityRequirement": (self._schemes,),
            "operation": (self._tag_names,),
        }
        document = Rewriter(self._service.document, transforms, self._diagnostics).document()
        self._implied_by_children(document)
        for kind, group in maps_of(document.get("components")):
            _rename_keys(group, {key: self._names.get((kind, key), key) for key in group})
        return Service(self._service.name, document)

    def _references(self, value: Map, _: Rewriter) -> None:
        for key in ("$ref", "operationRef"):
            reference = value.get(key)
            if isinstance(reference, str):
                value.put(key, self._followed(reference), value.places[key])

    def _followed(self, reference: str) -> str:
        pointer = of_reference(reference)
        path = tokens(pointer) if pointer else ()
        match path:
            case ("components", kind, name, *rest) if (kind, name) in self._names:
                return to_reference(join("components", kind, self._names[kind, name], *rest))
            case ("paths", owned, *_) if owned in self._split:
                pass
            case _:
                return reference
        moved = self._moved(path)
        if moved is None:
            self._stuck(reference, owned)
        return to_reference(join(*moved)) if moved and moved != path else reference

    def _moved(self, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """Where a part of a path that several services own stands when merged; None where nowhere."""
        if path[2:3] != ("parameters",):
            return path if path[2:] else None
        if "parameters" not in self._split[path[1]]:
            return path
        written = self._service.root.at(join(*path[:2]))
        item = path_item(self._service, written) if written else None
        for _, operation in operations(item) if item else ():
            if not isinstance(operation.value, Map) or item is None or not isinstance(item.value, Map):
                continue
            own = operation.value.get("parameters")
            before = len(own) if isinstance(own, list) else 0
            left = remaining_parameters(self._service, operation.value, item.value)
            if path[3:] and path[3].isdecimal() and int(path[3]) in left:
                method = tokens(operation.pointer)[-1]
                at = (method,) if method in METHODS else (ADDITIONAL, method)
                number = before + left.index(int(path[3]))
                return (*path[:2], *at, "parameters", str(number), *path[4:])
        return None

    def _stuck(self, reference: str, path: str) -> None:
        for holder in _holders(self._service.root, reference):
            self._diagnostics.add(
                "DH039",
                f"{reference} leads to a part of {path} that other services share",
                holder.place,
                hint="put what it names under `components`",
            )

    def _mapping(self, discriminator: Map, _: Rewriter) -> None:
        mapping = discriminator.get("mapping")
        if isinstance(mapping, Map):
            copy = Map(mapping.source)
            for value, target in mapping.items():
                copy.put(value, self._target(target), mapping.places[value])
            discriminator.put("mapping", copy, discriminator.places["mapping"])
        if (key := "x-oai-defaultMapping") in discriminator:
            discriminator.put(key, self._target(discriminator[key]), discriminator.places[key])

    def _target(self, target: Json) -> Json:
        """A mapping names its schema plainly or by a reference; the plain name goes first."""
        if isinstance(target, str) and ("schemas", target) in self._service.components:
            return self._names.get(("schemas", target), target)
        return self._followed(target) if isinstance(target, str) else target

    def _implied_by_variants(self, schema: Map, _: Rewriter) -> None:
        """The name of a variant is what its values say of themselves: that stays when it is renamed."""
        discriminator = schema.get("discriminator")
        if isinstance(discriminator, Map):
            for new in implied_values(self._service, schema, ""):
                if new in self._old_schemas:
                    _map_to(discriminator, self._old_schemas[new], new)

    def _implied_by_children(self, document: Map) -> None:
        schemas = Node.of(document).at("/components/schemas")
        for name, schema in schemas.members() if schemas else ():
            discriminator = schema.get("discriminator")
            if discriminator is None or not isinstance(discriminator.value, Map):
                continue
            written = self._service.components["schemas", name].value
            for child in implied_values(self._service, written, name) if isinstance(written, Map) else ():
                if ("schemas", child) in self._names:
                    _map_to(discriminator.value, child, self._names["schemas", child])

    def _schemes(self, requirement: Map, _: Rewriter) -> None:
        _rename_keys(
            requirement, {key: self._names.get(("securitySchemes", key), key) for key in requirement}
        )

    def _tag_names(self, operation: Map, _: Rewriter) -> None:
        listed = operation.get("tags")
        if isinstance(listed, Seq) and self._tags:
            copy = Seq(listed.source)
            for tag, place in zip(listed, listed.places, strict=True):
                copy.put(self._tags.get(str(tag), tag), place)
            operation.put("tags", copy, operation.places["tags"])


def _rename_keys(value: Map, names: Mapping[str, str]) -> None:
    """Give all members their names at once, each in its old position."""
    members = [(key, value[key], value.places[key]) for key in value]
    value.clear()
    value.places.clear()
    for key, member, places in members:
        value.put(names[key], member, places)


def _map_to(discriminator: Map, value: str, component: str) -> None:
    """Say which component a value stands for, unless the mapping already leads there."""
    if not isinstance(discriminator.get("mapping"), Map):
        discriminator.put("mapping", Map(discriminator.source))
    mapping = discriminator["mapping"]
    if isinstance(mapping, Map):
        known = {schema_component(target) or str(target) for target in mapping.values()}
        if component not in known and value not in mapping:
            mapping.put(value, to_reference(join("components", "schemas", component)))


def _holders(root: Node, reference: str) -> Iterator[Node]:
    from ..walk import structure  # only where a reference is refused

    for holder in structure(root):
        node = holder.get("$ref")
        if node is not None and node.value == reference:
            yield node
