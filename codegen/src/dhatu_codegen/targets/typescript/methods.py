"""Operations as functions, and as methods of resources and of the client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from ...document import Node
from ...ir.api import Api
from ...ir.name import Name
from ...ir.operation import Operation
from ..following import Listed, first_page, followed, listed
from ..taken import Taken
from .answers import Answers
from .arguments import TYPES, Arguments
from .components import Components
from .descriptors import Descriptor, pure
from .identifiers import (
    CLIENT_MEMBERS,
    RESERVED_METHODS,
    RESERVED_WORDS,
    method_name,
    type_name,
    variable_name,
)
from .jsdoc import jsdoc
from .signatures import Variant, variants_of
from .source import literal, quoted
from .types import type_of
from .view import Method, Package, Params, Resource, Signature

_OWN: Final = frozenset(
    {
        *("all", "anything", "args", "arranged", "array", "boolean", "bytesAnswer", "bytesBody", "client"),
        *(
            "createClient",
            "emptyAnswer",
            "eventsAnswer",
            "formBody",
            "integer",
            "job",
            "jsonAnswer",
            "jsonBody",
        ),
        *("lazy", "linesAnswer", "linesBody", "multipartBody", "nothing", "nullable", "number", "object"),
        *(
            "oneOf",
            "options",
            "page",
            "params",
            "record",
            "s",
            "string",
            "styled",
            "t",
            "tagged",
            "textAnswer",
        ),
        *("textBody", "union"),
    }
)
"""Names that modules of operations use themselves."""
_KINDS: Final = {"page": "Page", "job": "Job"}
_DESCRIBED: Final = frozenset({"json", "form", "multipart"})


def package_view(api: Api, components: Components) -> Package:
    """Every operation of the API exactly once, grouped as the IR says, in the order of the spec."""
    by_resource: dict[str, list[Operation]] = {}
    for operation in api.operations:
        by_resource.setdefault(operation.resource.wire if operation.resource else "", []).append(operation)
    writer = _Writer(api, components)
    members = Taken(CLIENT_MEMBERS)
    modules = Taken({"index", "client"}, separator="-", mark="-")
    classes = Taken({api.sdk.client}, separator="")
    described = _tag_descriptions(api)
    resources: list[Resource] = []
    for wire, operations in by_resource.items():
        name = operations[0].resource
        if name is None:
            continue
        given = members.give(method_name(name))
        module = modules.give("-".join(name.words) or "value")
        resources.append(
            Resource(
                name=given,
                module=module,
                class_name=classes.give(f"{type_name(name)}Resource"),
                doc=described.get(method_name(name), f"The operations of {wire}."),
                methods=writer.methods(operations, Taken(RESERVED_METHODS), f"client.{given}", given),
            )
        )
    own = writer.methods(by_resource.get("", []), members, "client", "")
    return Package(api=api, resources=tuple(resources), client_methods=own)


class _Writer:
    def __init__(self, api: Api, components: Components) -> None:
        self._operations = {operation.key: operation for operation in api.operations}
        self._components = components
        self._exported = Taken({*RESERVED_WORDS, *_OWN}, separator="")
        self._params = Taken(separator="")
        self._constants: dict[str, str] = {}
        constants = Taken()
        for operation in api.operations:
            words = (*(operation.resource.words if operation.resource else ()), *operation.name.words)
            self._constants[operation.key] = constants.give("_".join(words).upper() or "OPERATION")

    def methods(
        self, operations: Iterable[Operation], taken: Taken, owner: str, resource: str
    ) -> tuple[Method, ...]:
        functions = Taken({*RESERVED_WORDS, *_OWN})
        return tuple(
            self._method(operation, taken.give(method_name(operation.name)), functions, owner, resource)
            for operation in operations
        )

    def _method(self, operation: Operation, name: str, functions: Taken, owner: str, resource: str) -> Method:
        arguments = Arguments(operation, self._components)
        answers = Answers(operation, self._components)
        stream = arguments.stream() if answers.chosen_by_flag else None
        variants, slots = variants_of(operation, arguments, answers, stream)
        exported = self._exported.give(_joined(resource, name))
        goes_on, changed, source = self._going_on(operation, arguments, answers)
        function = functions.give(variable_name(name))
        signatures, params = self._signatures(variants, exported, function, changed)
        deprecated = _deprecation(operation)
        descriptor = Descriptor(operation, self._components)
        value = " | ".join(dict.fromkeys(_bound(variant.returns, changed) for variant in variants))
        result = f"PagePromise<{changed[2]}>" if goes_on == "page" else f"APIPromise<{value}>"
        text = descriptor.source(arguments, answers.all, source, deprecated)
        kinds = " ".join((result, value, *(signature.returns for signature in signatures)))
        kinds += " ".join(slot.type for signature in signatures for slot in signature.positional)
        kinds += " ".join(slot.type for one in params for group in one.alternatives for slot in group)
        return Method(
            operation=operation,
            name=name,
            function=function,
            exported=exported,
            constant=self._constants[operation.key],
            descriptor=text,
            signatures=signatures,
            params=params,
            slots=slots,
            unsent=stream.name if stream is not None and stream.key[0] == "flag" else "",
            stream=stream.name if stream is not None else "",
            doc=jsdoc(operation, signatures[0], f"{owner}.{name}", goes_on, deprecated),
            result=result,
            value=value,
            goes_on=goes_on,
            imports=frozenset(descriptor.imports | _mentioned(kinds, goes_on)),
        )

    def _signatures(
        self, variants: list[Variant], exported: str, function: str, changed: tuple[str, str, str]
    ) -> tuple[tuple[Signature, ...], tuple[Params, ...]]:
        """One for all variants that look alike from outside, with a type for the object of arguments."""
        alike: dict[tuple[tuple[tuple[str, str, bool], ...], str], list[Variant]] = {}
        for variant in variants:
            key = tuple((slot.name, slot.type, slot.required) for slot in variant.positional)
            alike.setdefault((key, variant.returns), []).append(variant)
        signatures: list[Signature] = []
        params: list[Params] = []
        for (_, returned), found in alike.items():
            name, required = "", False
            groups = list(dict.fromkeys(variant.others for variant in found))
            if any(groups):
                required = all(any(slot.required for slot in group) for group in groups)
                known = next((one for one in params if one.alternatives == tuple(groups)), None)
                if known is None:
                    wanted = f"{exported[:1].upper()}{exported[1:]}Params"
                    known = Params(name=self._params.give(wanted), of=function, alternatives=tuple(groups))
                    params.append(known)
                name = known.name
            paged = f"PagePromise<{changed[2]}>" if changed[2] else f"APIPromise<{_bound(returned, changed)}>"
            signatures.append(
                Signature(
                    positional=found[0].positional, params=name, params_required=required, returns=paged
                )
            )
        return tuple(dict.fromkeys(signatures)), tuple(params)

    def _going_on(
        self, operation: Operation, arguments: Arguments, answers: Answers
    ) -> tuple[Literal["", "page", "job"], tuple[str, str, str], str]:
        """How the answer leads on, with its types: as it is, bound, in a promise; and the source of that."""
        schemas = self._components.schemas
        told = next((answer for answer in answers.all if answer.kind in _DESCRIBED), None)
        if operation.pagination is not None and told is not None:
            found = listed(operation, schemas)
            if isinstance(found, Listed):
                item = type_of(self._components, found.items, "answer", TYPES)
                spec = operation.pagination
                members = {
                    "items": spec.items,
                    "style": spec.style if spec.style != "cursor" else "",
                    "argument": _argument_of(arguments, spec.parameter),
                    "cursor": spec.cursor,
                    "total": spec.total,
                }
                first = first_page(operation, spec)
                more = f", first: {first}" if first != 1 else ""
                inner = f"{told.type}, {item}"
                return "page", (told.type, f"Page<{inner}>", inner), pure("page", [_members(members, more)])
        if operation.job is not None and told is not None:
            job = operation.job
            status = self._operations.get(job.status)
            if status is not None and not isinstance(followed(operation, status, schemas), str):
                ended = next(one for one in Answers(status, self._components).all if one.kind in _DESCRIBED)
                members = {
                    "argument": _argument_of(Arguments(status, self._components), job.parameter),
                    "id": job.id if job.id != "id" else "",
                    "state": job.state if job.state != "state" else "",
                    "error": job.error,
                }
                more = f", status: () => {self._constants[status.key]}, done: {literal([*job.done])}"
                more += f", failed: {literal([*job.failed])}" if job.failed else ""
                more += f", pollMs: {round(job.poll_s * 1000)}" if job.poll_s != 1 else ""
                inner = told.type if told.type == ended.type else f"{told.type}, {ended.type}"
                return "job", (told.type, f"Job<{inner}>", ""), pure("job", [_members(members, more)])
        return "", ("", "", ""), ""


def _bound(kind: str, changed: tuple[str, str, str]) -> str:
    """The type of an answer, with what leads on in the place of what is only told."""
    return kind.replace(changed[0], changed[1]) if changed[0] else kind


def _members(members: dict[str, str], more: str) -> str:
    inner = ", ".join(f"{name}: {quoted(text)}" for name, text in members.items() if text)
    return f"{{ {inner}{more} }}"


def _argument_of(arguments: Arguments, wire: str) -> str:
    """The argument that becomes a parameter, or a member of the body."""
    for parameter, slot in arguments.parameters:
        if parameter.name.wire == wire:
            return slot.name
    for body in arguments.bodies:
        for field in body.fields:
            if field.name == wire:
                return field.argument
    return ""


def _joined(resource: str, name: str) -> str:
    """`corpusSearch`; `compress` where there is no resource."""
    return f"{resource}{name[:1].upper()}{name[1:]}" if resource else name


def _mentioned(kinds: str, goes_on: str) -> set[str]:
    """What the types of a method need of the runtime."""
    names = ("BinaryResponse", "EventStream", "Content", "Series", "APIPromise", "PagePromise")
    found = {name for name in names if name in kinds}
    return found | ({_KINDS[goes_on], goes_on} if goes_on else set())


def _deprecation(operation: Operation) -> str:
    """What an editor strikes the method through with, and the runtime warns of."""
    if not operation.deprecated:
        return ""
    until = f"; it goes away on {operation.sunset}" if operation.sunset else ""
    return f"{operation.key} is deprecated{until}."


def _tag_descriptions(api: Api) -> dict[str, str]:
    tags = Node.of(api.document).get("tags")
    described = {
        tag.text("name"): " ".join(tag.text("description").split())
        for tag in (tags.elements() if tags else ())
    }
    return {method_name(Name.of(name)): text for name, text in described.items() if text}
