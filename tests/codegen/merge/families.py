"""Small documents of several services that use the same names, for the same things or for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st

Document: TypeAlias = dict[str, Any]

NAMES = ("Cat", "Dog", "Pet", "page_size")
SERVICES = ("zeta", "alpha", "page")
METHODS = ("get", "put", "post", "delete")
SCHEMES = ("bearer", "key")
LEAVES: tuple[Document, ...] = ({"type": "string"}, {"type": "integer"}, {"example": {"$ref": "data"}})
SERVERS: list[list[Document]] = [[{"url": "https://one.example"}], [{"url": "https://two.example"}]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A platform and the documents of its services."""

    platform: Document
    services: dict[str, Document]


class _Writer:
    """Documents by chance: one number gives one family, which is faster by far than drawing every part."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def one_of(self, *parts: Callable[[], Document]) -> Document:
        return self.chance.choice(parts)()

    def reference(self, kind: str, names: tuple[str, ...] = NAMES) -> Document:
        return {"$ref": f"#/components/{kind}/{self.chance.choice(names)}"}

    def perhaps(self, key: str, value: Callable[[], Any]) -> Document:
        return {key: value()} if self.chance.random() < 0.4 else {}

    def schema(self) -> Document:
        """Recursion comes from references to names that every document has."""
        leaf = self.chance.choice(LEAVES)
        return self.one_of(
            lambda: dict(leaf),
            lambda: {"type": "object", "properties": {"next": self.inner(), "items": self.inner()}},
            lambda: {"type": "array", "items": self.inner()},
            lambda: {"allOf": [self.reference("schemas", ("Pet",)), {"type": "object"}]},
            self.union,
            lambda: {"type": "object", "discriminator": {"propertyName": "kind"}},
        )

    def inner(self) -> Document:
        header = self.chance.choice(NAMES)
        return self.one_of(
            lambda: self.reference("schemas"),
            lambda: {"$ref": f"#/components/headers/{header}/schema"},
            lambda: {"minimum": self.chance.choice([1, 1.0])},
        )

    def union(self) -> Document:
        names = self.chance.choice([("Cat",), ("Dog",), ("Cat", "Dog")])
        mapping = self.chance.choice([{}, {"c": "Cat"}, {"d": "#/components/schemas/Dog"}])
        discriminator = {"propertyName": "kind", **({"mapping": mapping} if mapping else {})}
        return {
            "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names],
            "discriminator": discriminator,
        }

    def used(self, kind: str, written: Callable[[], Document]) -> Document:
        return self.one_of(lambda: self.reference(kind), written)

    def media(self) -> Document:
        examples = self.perhaps("examples", lambda: {"one": self.reference("examples")})
        return {"application/json": {"schema": self.used("schemas", self.schema), **examples}}

    def response(self) -> Document:
        return {
            "description": "D",
            "content": self.media(),
            **self.perhaps("headers", lambda: {"X-A": self.reference("headers")}),
            **self.perhaps("links", lambda: {"next": self.reference("links")}),
        }

    def parameter(self) -> Document:
        name = self.chance.choice(["a", "b"])
        return {"name": name, "in": "query", "schema": self.used("schemas", self.schema)}

    def security(self) -> list[Document]:
        listed: list[Document] = [{}, {"bearer": []}, {"key": ["read"]}, {"bearer": [], "key": []}]
        return self.chance.sample(listed, self.chance.randint(0, 2))

    def operation(self) -> Document:
        body = lambda: {"content": self.media()}  # noqa: E731 - shortest where it is used once
        return {
            "responses": {"200": self.used("responses", self.response)},
            **self.perhaps("requestBody", lambda: self.used("requestBodies", body)),
            **self.perhaps("parameters", lambda: [self.parameter()]),
            **self.perhaps("callbacks", lambda: {"done": self.reference("callbacks")}),
            **self.perhaps("security", self.security),
            **self.perhaps("servers", lambda: self.chance.choice(SERVERS)),
            **self.perhaps("summary", lambda: self.chance.choice(["One.", "Two."])),
        }

    def path_item(self, methods: tuple[str, ...]) -> Document:
        return {
            **{method: self.operation() for method in methods},
            **self.perhaps("parameters", lambda: [self.used("parameters", self.parameter)]),
            **self.perhaps("servers", lambda: self.chance.choice(SERVERS)),
            **self.perhaps("description", lambda: self.chance.choice(["One.", "Two."])),
        }

    def components(self) -> Document:
        item = lambda: {"post": self.operation()}  # noqa: E731
        kinds: dict[str, Callable[[], Document]] = {
            "schemas": self.schema,
            "responses": self.response,
            "parameters": self.parameter,
            "requestBodies": lambda: {"content": self.media()},
            "headers": lambda: {"schema": self.schema()},
            "examples": lambda: {"value": self.chance.choice([1, True])},
            "links": lambda: {"operationId": "a", **self.perhaps("description", lambda: "D")},
            "callbacks": lambda: {"{$url}": self.used("pathItems", item)},
            "pathItems": item,
        }
        groups = {kind: {name: write() for name in NAMES} for kind, write in kinds.items()}
        schemes = [{"type": "http", "scheme": "basic"}, {"type": "http", "scheme": "bearer"}]
        return {**groups, "securitySchemes": {name: dict(self.chance.choice(schemes)) for name in SCHEMES}}

    def document(self, name: str, number: int) -> Document:
        """A path of its own, one method of a path that all services have, and one path by reference."""
        paths = {
            f"/{name}": self.path_item(("get", "post")),
            "/all": self.path_item((METHODS[number],)),
            f"/{name}/referred": self.reference("pathItems"),
        }
        return {
            "openapi": "3.1.1",
            "info": {"title": name, "version": "1"},
            "paths": paths,
            "components": self.components(),
            **self.perhaps("security", self.security),
            **self.perhaps("servers", lambda: self.chance.choice(SERVERS)),
        }

    def family(self) -> Family:
        names = SERVICES[: self.chance.randint(2, len(SERVICES))]
        services = {name: self.document(name, number) for number, name in enumerate(names)}
        first = services[names[0]]["components"]
        for document in services.values():
            if self.chance.random() < 0.6:  # or hardly anything would ever be equal
                kept = self.chance.sample(sorted(first), self.chance.randint(5, len(first)))
                document["components"].update({kind: first[kind] for kind in kept})
        platform: Document = {
            "info": {"title": "T", "version": "1"},
            **self.perhaps("servers", lambda: self.chance.choice(SERVERS)),
            "services": {name: {"spec": f"services/{name}.json"} for name in services},
        }
        return Family(platform=platform, services=services)


def families() -> st.SearchStrategy[Family]:
    return st.integers(0, 2**32).map(lambda seed: _Writer(Random(seed)).family())
