"""Which operation a path and a method mean; built at boot, read-only afterwards.

A literal path is found by one dictionary lookup, a templated one by walking a trie of segments. Of several
templates that fit, the most specific wins; two of which neither is more specific are refused at boot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from dhatu_gateway.core.canonical import canonical_path
from dhatu_gateway.core.segments import Segment, parse_segment

T = TypeVar("T")


class AmbiguousRoutesError(ValueError):
    """Two routes match one path and neither is more specific."""


class Resource(Generic[T]):
    """A path template and what its methods lead to."""

    __slots__ = ("allow", "methods", "path", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self.path = template
        """The canonical path where the template has no variables."""
        self.methods: dict[str, T] = {}
        self.allow = b""
        """Value of the `Allow` field."""


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """Where a path leads to."""

    resource: Resource[T]
    path: str
    values: tuple[str, ...]


class _Node(Generic[T]):
    __slots__ = ("literals", "resource", "variables")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.variables: list[tuple[Segment, _Node[T]]] = []
        """The most specific first."""
        self.resource: Resource[T] | None = None


class Router(Generic[T]):
    """Finds resources by path.

    `entries` are (method, path template, target). Raises `AmbiguousRoutesError`, with a path that shows it,
    and `ValueError` for a method that occurs twice or a template that no canonical path can match.
    """

    def __init__(self, entries: Iterable[tuple[str, str, T]] = ()) -> None:
        self._static: dict[bytes, Match[T]] = {}
        self._root: _Node[T] = _Node()
        self._resources: dict[tuple[Segment, ...], Resource[T]] = {}
        for method, template, target in entries:
            self.add(method, template, target)
        self.complete()

    def add(self, method: str, template: str, target: T) -> None:
        """Enter a route: for a router that is filled little by little, and used after `complete`."""
        segments = _parse(template)
        resource = self._resources.get(segments)
        if resource is None:
            self._refuse_ambiguity(segments, template)
            resource = self._resources[segments] = self._insert(segments, template)
        if method in resource.methods:
            raise ValueError(f"{method} {template} is defined twice, also as {method} {resource.template}")
        resource.methods[method] = target

    def complete(self) -> None:
        """Make it ready to find what has been entered; nothing is added later."""
        for resource in self._resources.values():
            self._complete(resource)
        self._resources.clear()

    def find(self, raw: bytes) -> Match[T] | None:
        """Return the most specific resource for a path as it came; raises `ProblemError` for a bad one."""
        match = self._static.get(raw)
        if match is not None:
            return match
        return self.find_canonical(canonical_path(raw))

    def find_canonical(self, path: str) -> Match[T] | None:
        """Return the most specific resource for a path in canonical form."""
        match = self._static.get(path.encode("ascii"))
        if match is not None:
            return match
        segments = path.split("/")
        values: list[str] = []
        resource = _walk(self._root, segments, 1, values)
        return None if resource is None else Match(resource, path, tuple(values))

    def _insert(self, segments: tuple[Segment, ...], template: str) -> Resource[T]:
        resource: Resource[T] = Resource(template)
        if not any(segment.is_variable for segment in segments):
            path = "/" + "/".join(segment.prefix for segment in segments)
            resource.path = path
            self._static[path.encode("ascii")] = Match(resource, path, ())
        node = self._root
        for segment in segments:
            node = _child(node, segment)
        node.resource = resource
        return resource

    def _complete(self, resource: Resource[T]) -> None:
        """Let GET serve HEAD, and list what is allowed."""
        if "GET" in resource.methods:
            resource.methods.setdefault("HEAD", resource.methods["GET"])
        resource.allow = ", ".join(sorted({*resource.methods, "OPTIONS"})).encode("ascii")

    def _refuse_ambiguity(self, segments: tuple[Segment, ...], template: str) -> None:
        for other in _overlapping(self._root, segments, 0):
            others = _parse(other.template)
            pairs = list(zip(segments, others, strict=True))
            if all(a.within(b) for a, b in pairs) or all(b.within(a) for a, b in pairs):
                continue
            witness = "/" + "/".join(a.witness(b) for a, b in pairs)
            raise AmbiguousRoutesError(
                f"{template} and {other.template} both match {witness} and neither is more specific; "
                "rename a segment of one of them"
            )


def _parse(template: str) -> tuple[Segment, ...]:
    if not template.startswith("/"):
        raise ValueError(f"the path {template!r} must start with a slash")
    return tuple(parse_segment(text, template) for text in template[1:].split("/"))


def _child(node: _Node[T], segment: Segment) -> _Node[T]:
    if not segment.is_variable:
        return node.literals.setdefault(segment.prefix, _Node())
    for known, child in node.variables:
        if known == segment:
            return child
    child = _Node[T]()
    node.variables.append((segment, child))
    node.variables.sort(key=lambda entry: -len(entry[0].prefix) - len(entry[0].suffix))
    return child


def _walk(node: _Node[T], segments: list[str], index: int, values: list[str]) -> Resource[T] | None:
    if index == len(segments):
        return node.resource
    text = segments[index]
    literal = node.literals.get(text)
    if literal is not None:
        resource = _walk(literal, segments, index + 1, values)
        if resource is not None:
            return resource
    for segment, child in node.variables:
        value = segment.value_in(text)
        if value:
            values.append(value)
            resource = _walk(child, segments, index + 1, values)
            if resource is not None:
                return resource
            values.pop()
    return None


def _overlapping(node: _Node[T], segments: tuple[Segment, ...], index: int) -> Iterator[Resource[T]]:
    if index == len(segments):
        if node.resource is not None:
            yield node.resource
        return
    segment = segments[index]
    if segment.is_variable:
        for text, child in node.literals.items():
            if segment.value_in(text):
                yield from _overlapping(child, segments, index + 1)
    elif segment.prefix in node.literals:
        yield from _overlapping(node.literals[segment.prefix], segments, index + 1)
    for known, child in node.variables:
        if segment.overlaps(known):
            yield from _overlapping(child, segments, index + 1)
