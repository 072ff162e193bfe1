"""Operations as methods of resources and of the client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, count
from typing import Final

from ...ir.api import Api
from ...ir.name import Name
from ...ir.operation import Operation
from ..taken import Taken
from ..told import about_resources, deprecation
from .annotations import Annotations
from .answers import Answers
from .arguments import Argument, ArgumentList
from .docstrings import docstring, in_docstring
from .going_on import GoingOn
from .identifiers import CLIENT_MEMBERS, DECORATORS, FORMS, class_name, value_name
from .model_document import ModelDocument
from .signatures import signatures
from .view import Method, Package, Resource, Signature
from .webhooks import webhook_models

_STREAM: Final = "True for events as they happen, instead of the whole answer at the end."


def package_view(api: Api, document: ModelDocument) -> Package:
    """Every operation of the API exactly once, grouped as the IR says, in the order of the spec."""
    by_resource: dict[str, list[Operation]] = {}
    for operation in api.operations:
        by_resource.setdefault(operation.resource.wire if operation.resource else "", []).append(operation)
    writer = _MethodWriter(document)
    members = Taken(CLIENT_MEMBERS | DECORATORS)
    modules = Taken()
    classes: set[str] = set()
    described = about_resources(api)
    resources: list[Resource] = []
    for wire, operations in by_resource.items():
        name = operations[0].resource
        if name is None:
            continue
        given = members.give(modules.give(value_name(name)))
        resources.append(
            Resource(
                name=given,
                class_name=_class_name(name, classes),
                doc=in_docstring(described.get(name.words, f"The operations of {wire}.")),
                methods=writer.methods(operations, Taken(DECORATORS | FORMS)),
            )
        )
    own = writer.methods(by_resource.get("", []), members)
    every = (*own, *(method for resource in resources for method in resource.methods))
    going_on = GoingOn(
        document.schemas, Annotations(document), {method.operation.key: method for method in every}
    )
    return Package(
        api=api,
        client_methods=tuple(map(going_on.method, own)),
        resources=tuple(
            replace(resource, methods=tuple(map(going_on.method, resource.methods))) for resource in resources
        ),
        webhooks=tuple(webhook_models(api, document)),
        bound=going_on.classes,
    )


class _MethodWriter:
    def __init__(self, document: ModelDocument) -> None:
        self._document = document
        self._annotations = Annotations(document)
        self._constants = Taken()

    def methods(self, operations: Iterable[Operation], taken: Taken) -> tuple[Method, ...]:
        return tuple(
            self._method(operation, taken.give(value_name(operation.name))) for operation in operations
        )

    def _method(self, operation: Operation, name: str) -> Method:
        hint = f"{operation.resource.wire if operation.resource else ''} {name}"
        arguments = ArgumentList(operation, self._annotations, self._document.schemas, hint)
        answers = Answers(operation, self._annotations, hint)
        stream = arguments.flag("stream", _STREAM) if answers.chosen_by_flag else None
        signature, overloads = signatures(operation, arguments, answers, stream)
        in_order = _in_order(signature, arguments.all)
        handed = [argument for argument in arguments.all if argument.key != ("flag", "stream")]
        return Method(
            operation=operation,
            name=name,
            constant=self._constants.give(_constant(operation, name)),
            signature=signature,
            overloads=overloads,
            arguments=in_order,
            sent=tuple(argument.name for argument in handed),
            stream=stream.name if stream is not None else "",
            doc=docstring(operation, in_order),
            deprecated=deprecation(operation),
            parameters=arguments.parameters,
            bodies=arguments.bodies,
            answers=answers.all,
            result=signature.returns,
        )


def _class_name(name: Name, taken: set[str]) -> str:
    """A name for a resource's class; that of its twin, which begins with Sync, must be free as well."""
    wanted = class_name(name)
    numbered = (f"{wanted}{number}Resource" for number in count(2))
    for given in chain((f"{wanted}Resource",), numbered):
        if not taken & {given, f"Sync{given}"}:
            taken.update((given, f"Sync{given}"))
            return given
    raise AssertionError("the numbers do not end")


def _in_order(signature: Signature, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
    by_name = {argument.name: argument for argument in arguments}
    return tuple(by_name[slot.name] for slot in (*signature.positional, *signature.keyword))


def _constant(operation: Operation, name: str) -> str:
    """`CORPUS_SEARCH`."""
    resource = f"{value_name(operation.resource)}_" if operation.resource else ""
    return f"{resource}{name}".upper().rstrip("_")
