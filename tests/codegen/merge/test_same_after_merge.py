"""A merge changes nothing that a caller could notice, whatever the services call their components.

The comparison here walks both documents side by side and knows nothing of how the merge compares.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from codegen.merge.families import Family, families
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Map, plain
from dhatu_codegen.merge import ServiceDocument, merge
from dhatu_codegen.reading.read_json import read_json
from hypothesis import HealthCheck, given, settings

Document: TypeAlias = dict[str, Any]
METHODS = ("get", "put", "post", "delete")
SETTINGS = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def loaded(document: Document, file: str) -> Map:
    read = read_json(json.dumps(document), file, Diagnostics())
    assert isinstance(read, Map)
    return read


def merged(family: Family) -> Document:
    platform = loaded(family.platform, "platform.json")
    services = tuple(
        ServiceDocument(name=name, document=loaded(document, f"{name}.json"))
        for name, document in family.services.items()
    )
    diagnostics = Diagnostics()
    value = plain(merge(platform, services, diagnostics))
    assert [found.message for found in diagnostics.errors] == []
    assert isinstance(value, dict)
    return value


def followed(document: Document, value: Any) -> Any:
    seen: set[str] = set()
    while isinstance(value, dict) and set(value) == {"$ref"} and value["$ref"] not in seen:
        seen.add(value["$ref"])
        found: Any = document
        for token in value["$ref"].removeprefix("#/").split("/"):
            token = token.replace("~1", "/").replace("~0", "~")
            found = found[int(token)] if isinstance(found, list) else found[token]
        value = found
    return value


class Walk:
    """Values are the same unless a way leads to where they part; one that returns is not walked again."""

    def __init__(self, one: Document, other: Document) -> None:
        self.documents = (one, other)
        self.seen: set[tuple[int, int]] = set()

    def same(self, one: Any, other: Any) -> bool:
        one, other = followed(self.documents[0], one), followed(self.documents[1], other)
        if isinstance(one, dict) and isinstance(other, dict):
            if (id(one), id(other)) in self.seen:
                return True
            self.seen.add((id(one), id(other)))
            if "discriminator" in one or "discriminator" in other:
                return self.same_unions(one, other)
            return self.same_members(one, other)
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(map(self.same, one, other))
        return json.dumps(one) == json.dumps(other)

    def same_members(self, one: Document, other: Document) -> bool:
        return one.keys() == other.keys() and all(
            json.dumps(one[key]) == json.dumps(other[key])
            if key in ("example", "x-dhatu")
            else self.same_schemes(one[key], other[key])
            if key == "security"
            else self.same(one[key], other[key])
            for key in one
        )

    def same_schemes(self, one: list[Document], other: list[Document]) -> bool:
        return [self.schemes(0, each) for each in one] == [self.schemes(1, each) for each in other]

    def schemes(self, side: int, requirement: Document) -> list[str]:
        known = self.documents[side]["components"]["securitySchemes"]
        return sorted(
            json.dumps([followed(self.documents[side], known[name]), scopes], sort_keys=True)
            for name, scopes in requirement.items()
        )

    def same_unions(self, one: Document, other: Document) -> bool:
        if not {"discriminator"} <= one.keys() & other.keys():
            return False
        first, second = self.told_apart(0, one), self.told_apart(1, other)
        rest = [{key: each[key] for key in each if key != "discriminator"} for each in (one, other)]
        return (
            first.keys() == second.keys()
            and one["discriminator"]["propertyName"] == other["discriminator"]["propertyName"]
            and all(self.same(first[value], second[value]) for value in first)
            and self.same_members(rest[0], rest[1])
        )

    def told_apart(self, side: int, schema: Document) -> Document:
        """Value of the discriminating property: a reference to what it stands for."""
        schemas = self.documents[side]["components"]["schemas"]
        prefix = "#/components/schemas/"
        found = {
            value: {"$ref": prefix + target if target in schemas else target}
            for value, target in schema["discriminator"].get("mapping", {}).items()
        }
        mapped = [each["$ref"] for each in found.values()]
        for variant in schema.get("oneOf", ()):
            if variant["$ref"] not in mapped:
                found[variant["$ref"].removeprefix(prefix)] = variant
        if "oneOf" not in schema:
            for name, child in schemas.items():
                for part in child.get("allOf", ()):
                    if followed(self.documents[side], part) is schema and prefix + name not in mapped:
                        found[name] = {"$ref": prefix + name}
        return found


def with_security(value: Any, inherited: list[Document]) -> Any:
    """A copy in which every operation, those of callbacks too, says who may call it."""
    if isinstance(value, list):
        return [with_security(each, inherited) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {key: with_security(member, inherited) for key, member in value.items()}
    if "200" in copy.get("responses", ()):
        copy.setdefault("security", inherited)
    return copy


def settled(family: Family) -> list[Document]:
    return [with_security(each, each.get("security", [])) for each in family.services.values()]


def effective(document: Document, platform_servers: list[Document]) -> dict[tuple[str, str], Document]:
    """(path, method): the operation with all that it inherits."""
    found: dict[tuple[str, str], Document] = {}
    for path, written in document.get("paths", {}).items():
        item = followed(document, written)
        for method in METHODS:
            if method not in item:
                continue
            operation = {key: value for key, value in item[method].items() if key != "x-dhatu"}
            identified = {
                (followed(document, each)["name"], followed(document, each)["in"]): each
                for each in [*item.get("parameters", []), *operation.get("parameters", [])]
            }
            operation["parameters"] = {f"{place} {name}": each for (name, place), each in identified.items()}
            operation["security"] = operation.get("security", document.get("security", []))
            operation["servers"] = operation.get(
                "servers", item.get("servers", document.get("servers", platform_servers))
            )
            for key in ("summary", "description"):
                operation.setdefault(key, item.get(key, ""))
            found[path, method] = operation
    return found


@SETTINGS
@given(families())
def test_every_operation_is_the_same_before_and_after(family: Family) -> None:
    after = with_security(merged(family), [])
    servers = family.platform.get("servers", [{"url": "/"}])
    operations = effective(after, servers)
    before = {
        key: (document, operation)
        for document in settled(family)
        for key, operation in effective(document, servers).items()
    }
    assert operations.keys() == before.keys()
    for key, (document, operation) in before.items():
        assert Walk(document, after).same(operation, operations[key]), (key, document, after)


@SETTINGS
@given(families())
def test_every_component_is_the_same_under_its_old_or_new_name(family: Family) -> None:
    after = with_security(merged(family), [])
    for document in settled(family):
        for kind, group in document["components"].items():
            for component in group.values():
                found = after["components"][kind].values()
                assert any(Walk(document, after).same(component, each) for each in found)


@SETTINGS
@given(families())
def test_the_order_of_the_services_changes_the_order_of_members_only(family: Family) -> None:
    results = {
        json.dumps(merged(Family(platform=family.platform, services=dict(order))), sort_keys=True)
        for order in (family.services.items(), reversed(family.services.items()))
    }
    assert len(results) == 1


@SETTINGS
@given(families())
def test_merging_shares_what_is_equal(family: Family) -> None:
    one = next(iter(family.services.values()))
    alone = {"alpha": one, "beta": {**one, "paths": {}}}
    after = merged(Family(platform=family.platform, services=alone))
    assert {kind: set(group) for kind, group in after["components"].items()} == {
        kind: set(group) for kind, group in one["components"].items()
    }
