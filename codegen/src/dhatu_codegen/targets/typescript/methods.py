"""Operations as functions, and as methods of resources and of the client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...ir.api import Api
from ...ir.operation import Operation
from ..taken import Taken
from ..told import about_resources, deprecation
from .answers import Answers, united
from .arguments import Arguments
from .comments import on_one_line
from .components import Components
from .descriptors import Descriptor
from .going_on import GoingOn, going_on
from .identifiers import (
    CLIENT_MEMBERS,
    RESERVED_METHODS,
    RESERVED_MODULES,
    RESERVED_WORDS,
    constant_name,
    method_name,
    module_name,
    type_name,
    variable_name,
)
from .jsdoc import jsdoc
from .signatures import Variant, variants_of
from .view import Method, Package, Params, Resource, Signature

_OWN: Final = frozenset(
    {
        *("all", "anything", "args", "arranged", "array", "boolean", "bytesAnswer", "bytesBody", "client"),
        *("createClient", "emptyAnswer", "eventsAnswer", "formBody", "integer", "job", "jsonAnswer"),
        *("jsonBody", "lazy", "linesAnswer", "linesBody", "multipartBody", "nothing", "nullable", "number"),
        *(
            "object",
            "oneOf",
            "options",
            "page",
            "params",
            "placed",
            "record",
            "s",
            "string",
            "styled",
            "t",
            "tagged",
        ),
        *("textAnswer", "textBody", "union"),
    }
)
"""Names that modules of operations use themselves."""


def package_view(api: Api, components: Components) -> Package:
    """Every operation of the API exactly once, grouped as the IR says, in the order of the spec."""
    by_resource: dict[str, list[Operation]] = {}
    for operation in api.operations:
        by_resource.setdefault(operation.resource.wire if operation.resource else "", []).append(operation)
    writer = _Writer(api, components)
    members = Taken(CLIENT_MEMBERS)
    modules = Taken(RESERVED_MODULES, separator="-", mark="-")
    classes = Taken({api.sdk.client}, separator="")
    described = about_resources(api)
    resources: list[Resource] = []
    for wire, operations in by_resource.items():
        name = operations[0].resource
        if name is None:
            continue
        given = members.give(method_name(name))
        module = modules.give(module_name(name))
        resources.append(
            Resource(
                name=given,
                module=module,
                class_name=classes.give(f"{type_name(name)}Resource"),
                doc=on_one_line(described.get(name.words, f"The operations of {wire}.")),
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
            names = [name for name in (operation.resource, operation.name) if name is not None]
            self._constants[operation.key] = constants.give(constant_name(*names))

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
        more = going_on(operation, self._operations, self._constants, self._components)
        if more.answer is not None:
            answers.bind(more.answer, more.bound)
        stream = arguments.stream() if answers.chosen_by_flag else None
        variants, slots = variants_of(operation, arguments, answers, stream)
        exported = self._exported.give(_joined(resource, name))
        function = functions.give(variable_name(name))
        signatures, params = self._signatures(variants, exported, function, more)
        deprecated = deprecation(operation)
        descriptor = Descriptor(operation, self._components)
        value = united(kind for variant in variants for kind in variant.returns)
        text = descriptor.source(arguments, answers.all, more.source, deprecated)
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
            doc=jsdoc(operation, signatures[0], f"{owner}.{name}", more.kind, deprecated),
            result=_promise(value, more),
            value=value,
            goes_on=more.kind,
            imports=frozenset(descriptor.imports | ({more.kind} if more.kind else set())),
        )

    def _signatures(
        self, variants: list[Variant], exported: str, function: str, more: GoingOn
    ) -> tuple[tuple[Signature, ...], tuple[Params, ...]]:
        """One for all variants that look alike from outside, with a type for the object of arguments."""
        alike: dict[tuple[tuple[tuple[str, str, bool], ...], str], list[Variant]] = {}
        for variant in variants:
            key = tuple((slot.name, slot.type, slot.required) for slot in variant.positional)
            alike.setdefault((key, united(variant.returns)), []).append(variant)
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
            signatures.append(
                Signature(
                    positional=found[0].positional,
                    params=name,
                    params_required=required,
                    returns=_promise(returned, more),
                )
            )
        return tuple(dict.fromkeys(signatures)), tuple(params)


def _promise(value: str, more: GoingOn) -> str:
    """What a call returns."""
    return f"PagePromise<{more.types}>" if more.kind == "page" else f"APIPromise<{value}>"


def _joined(resource: str, name: str) -> str:
    """`corpusSearch`; `compress` where there is no resource."""
    return f"{resource}{name[:1].upper()}{name[1:]}" if resource else name
