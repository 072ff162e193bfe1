"""A document of somebody else's as the merge would have left it: no platform.yaml, no extension needed.

What the parser takes for granted is made true here, and each repair is a diagnostic at its place. Paths,
operations and servers are put anew; what they hold is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map, Node, Seq
from ..ir.name import Name
from ..ir.source import SourceRef
from ..merge import EXTENSION
from ..naming import pascal, screaming, snake
from ..path_item import ADDITIONAL, METHODS
from ..path_item import operations as operations_of
from ..pointer import of_reference
from ..reading.locations import is_url, join
from .inherit import inherited_extension
from .operation_names import VARIABLE, name_operations

_PLACES: Final = frozenset({"path", "query", "header", "cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkName:
    """What an SDK is called."""

    name: Name

    @property
    def package(self) -> str:
        """`acme_corp`."""
        return snake(self.name)

    @property
    def distribution(self) -> str:
        """`acme-corp`."""
        return self.package.replace("_", "-")

    @property
    def client(self) -> str:
        """`AcmeCorpAPI`; a name that ends in `api` does not say it twice."""
        words = self.name.words
        shorter = Name(wire="", words=words[:-1]) if words[1:] and words[-1] == "api" else self.name
        return f"{pascal(shorter)}API"

    @property
    def environment_prefix(self) -> str:
        """`ACME_CORP`."""
        return screaming(self.name)


def adopt(document: Map, location: str, name: SdkName, diagnostics: Diagnostics) -> Map:
    """The document, ready to be parsed; `location` is where it was read."""
    found = Map(document.source)
    for key in document:
        if key not in ("servers", "paths", EXTENSION):
            found.take(document, key)
    if not isinstance(document.get("info"), Map):
        found.put("info", Map(document.source))
    found.put("servers", _servers(document, location, diagnostics))
    found.put(EXTENSION, _facts(document, name))
    found.put("paths", _Paths(document, diagnostics).all(), document.places.get("paths"))
    name_operations(found, diagnostics)
    return found


def count_operations(document: Map) -> int:
    """How many operations a document has."""
    paths = Node.of(document).get("paths")
    return sum(len(list(operations_of(item))) for _, item in (paths.members() if paths else ()))


def _facts(document: Map, name: SdkName) -> Map:
    """What platform.yaml says for services of our own; the service has the name of the SDK."""
    source = document.source
    facts, sdk, python, javascript = Map(source), Map(source), Map(source), Map(source)
    python.put("package", name.package)
    python.put("distribution", name.distribution)
    sdk.put("client", name.client)
    sdk.put("environment_prefix", name.environment_prefix)
    sdk.put("python", python)
    javascript.put("package", name.distribution)
    sdk.put("javascript", javascript)
    facts.put("sdk", sdk)
    root = Node.of(document).get(EXTENSION)
    prefix = root.get("header_prefix") if root else None
    if prefix is not None and isinstance(prefix.value, str):  # a document that the merge here has made
        facts.put("header_prefix", prefix.value, (prefix.source, prefix.place))
    services, service = Map(source), Map(source)
    service.put("description", "")
    services.put(name.distribution, service)
    facts.put("services", services)
    return facts


def _servers(document: Map, location: str, diagnostics: Diagnostics) -> Seq:
    """Absolute where they are relative to an address; DH056 where callers have to say where the API is."""
    listed = Node.of(document).get("servers")
    found = Seq(listed.place if listed else document.source)
    for server in listed.elements() if listed else ():
        url = server.get("url")
        if not isinstance(server.value, Map) or url is None or not isinstance(url.value, str):
            continue
        absolute = Map(server.place)
        for key in server.value:
            absolute.take(server.value, key)
        absolute.put(
            "url", join(location, url.value) if is_url(location) else url.value, (url.source, url.place)
        )
        found.put(absolute, server.source)
    if not found and is_url(location):
        # OpenAPI 3.1.1, section 4.8.1: without servers, the API is where its document is, at `/`.
        implied = Map(document.source)
        implied.put("url", join(location, "/"))
        found.put(implied, document.source)
    first = Node(value=found, pointer="", source=found.source, place=found.source)
    if not any(server.text("url").startswith(("http", "{")) for server in list(first.elements())[:1]):
        message = "the document does not say at which address the API is"
        hint = "the clients will ask for base_url; the document's own address is used when it is fetched"
        diagnostics.add("DH056", message, found.source, hint=hint)
    return found


class _Paths:
    """Puts paths and operations anew."""

    def __init__(self, document: Map, diagnostics: Diagnostics) -> None:
        self._root = Node.of(document)
        self._diagnostics = diagnostics
        self._security = self._root.get("security")

    def all(self) -> Map:
        paths = self._root.get("paths")
        found = Map(paths.place if paths else self._root.place)
        for path, item in paths.members() if paths else ():
            if not isinstance(item.value, Map):
                continue
            whole = Map(item.place)
            for key in item.value:
                if key not in (*METHODS, ADDITIONAL, "parameters"):
                    whole.take(item.value, key)
            for method, operation in operations_of(item):
                into = whole
                if method.lower() not in METHODS:
                    if ADDITIONAL not in whole:
                        whole.put(ADDITIONAL, Map(item.place))
                    more = whole[ADDITIONAL]
                    into = more if isinstance(more, Map) else whole
                key = method.lower() if into is whole else method
                into.put(key, self._operation(path, item, operation), (operation.source, operation.place))
            found.put(path, whole, (item.source, item.place))
        return found

    def _operation(self, path: str, item: Node, operation: Node) -> Map:
        """With the parameters of its path, and the security of the document."""
        whole = Map(operation.place)
        for key in operation.value if isinstance(operation.value, Map) else ():
            if isinstance(operation.value, Map) and key not in ("parameters", EXTENSION):
                whole.take(operation.value, key)
        whole.put(EXTENSION, inherited_extension((self._root, item, operation), self._diagnostics))
        security = self._security
        if "security" not in whole and security is not None:
            whole.put("security", security.value, (security.source, security.place))
        parameters = Seq(operation.place)
        for value, place in self._parameters(path, item, operation):
            parameters.put(value, place)
        if parameters:
            whole.put("parameters", parameters)
        return whole

    def _parameters(self, path: str, item: Node, operation: Node) -> Iterator[tuple[Map, SourceRef]]:
        """Those that can be sent; each variable of the path has one."""
        variables = dict.fromkeys(VARIABLE.findall(path))
        for listed in (item.get("parameters"), operation.get("parameters")):
            for written in listed.elements() if listed else ():
                parameter = self._followed(written)
                name, where = parameter.text("name"), parameter.text("in")
                if where not in _PLACES or not name or (where == "path" and name not in variables):
                    what = f"the parameter {name!r} in {where!r}" if name else "a parameter without a name"
                    self._diagnostics.add("DH054", f"{what} cannot be sent and is left out", written.source)
                    continue
                if where == "path":
                    variables[name] = name
                if isinstance(written.value, Map):
                    yield (
                        self._required(parameter, written) if where == "path" else written.value,
                        written.source,
                    )
        for name, known in variables.items():
            if known is None:
                message = f"nothing describes {{{name}}} of {path}: it is taken for text"
                self._diagnostics.add("DH053", message, operation.source)
                yield _text_parameter(name, operation.place), operation.place

    def _followed(self, written: Node) -> Node:
        pointer = of_reference(written.text("$ref"))
        return (self._root.at(pointer) or written) if pointer else written

    def _required(self, parameter: Node, written: Node) -> Map:
        """A parameter of a path, which is always required."""
        value = parameter.value if isinstance(parameter.value, Map) else Map(parameter.place)
        if value.get("required") is True and isinstance(written.value, Map):
            return written.value
        whole = Map(parameter.place)
        for key in value:
            whole.take(value, key)
        whole.put("required", True)
        return whole


def _text_parameter(name: str, place: SourceRef) -> Map:
    schema, parameter = Map(place), Map(place)
    schema.put("type", "string")
    for key, value in (("name", name), ("in", "path"), ("required", True), ("schema", schema)):
        parameter.put(key, value)
    return parameter
