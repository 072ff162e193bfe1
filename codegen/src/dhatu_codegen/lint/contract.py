"""What an operation promises: names, security, errors."""

from __future__ import annotations

from ..diagnostics import Diagnostics, Related
from ..document import Node
from ..ir.api import Api
from ..ir.operation import Operation
from ..ir.schema import Intersection, Object, Ref, Schema, Union
from ..ir.security import OAuth2Scheme
from ..naming import nearest, snake
from ..pointer import join


def unique_sdk_names(api: Api, diagnostics: Diagnostics) -> None:
    """DH033: resource and method together name one operation, and no method has the name of a resource."""
    first: dict[str, Operation] = {}
    for operation in api.operations:
        known = first.setdefault(operation.key, operation)
        if known is not operation:
            diagnostics.add(
                "DH033",
                f"{operation.method} {operation.path} would be {operation.key} in the SDKs, which is taken",
                operation.source,
                related=[Related(message=f"{known.key} stands here first", source=known.source)],
                hint="set x-dhatu.sdk.method on one of them",
            )
    resources = {snake(operation.resource): operation for operation in api.operations if operation.resource}
    for operation in api.operations:
        holder = resources.get(operation.key)
        if holder is not None:
            diagnostics.add(
                "DH033",
                f"{operation.key} would be both a method and a resource of the client",
                operation.source,
                related=[Related(message=f"{holder.key} makes it a resource", source=holder.source)],
                hint="set x-dhatu.sdk.method or x-dhatu.sdk.resource",
            )


def stated_security(api: Api, diagnostics: Diagnostics) -> None:
    """DH046: every operation says who may call it, be it everybody."""
    root = Node.of(api.document)
    for operation in api.operations:
        written = root.at(join("paths", operation.path, operation.method.lower()))
        if written is not None and written.get("security") is None:
            message = f"{operation.key} does not say who may call it"
            diagnostics.add("DH046", message, operation.source, hint="write `security: []` where anybody may")


def declared_security(api: Api, diagnostics: Diagnostics) -> None:
    """DH043: every scheme exists, and every scope of an OAuth2 scheme is listed in one of its flows."""
    schemes = {scheme.key: scheme for scheme in api.security_schemes}
    for operation in api.operations:
        for requirement in operation.security:
            for credential in requirement.credentials:
                scheme = schemes.get(credential.scheme)
                if scheme is None:
                    suggestion = nearest(credential.scheme, schemes)
                    message = f"the security scheme {credential.scheme!r} of {operation.key} is not declared"
                    hint = (
                        f"did you mean {suggestion!r}?" if suggestion else "declare it under securitySchemes"
                    )
                    diagnostics.add("DH043", message, operation.source, hint=hint)
                elif isinstance(scheme, OAuth2Scheme):
                    known = {scope for flow in scheme.flows for scope, _ in flow.scopes}
                    for scope in credential.scopes:
                        if scope not in known:
                            message = (
                                f"no flow of {scheme.key!r} lists the scope {scope!r} of {operation.key}"
                            )
                            diagnostics.add("DH043", message, operation.source)


def error_responses(api: Api, diagnostics: Diagnostics) -> None:
    """DH044: every operation says how it fails: `default`, and 401 and 403 where it asks who calls."""
    for operation in api.operations:
        statuses = {response.status for response in operation.responses}
        wanted = ["401", "403"] if operation.security and operation.security[0].credentials else []
        missing = [status for status in wanted if status not in statuses and "4XX" not in statuses]
        if "default" not in statuses and not {"4XX", "5XX"} <= statuses:
            missing.append("default")
        if missing:
            message = f"{operation.key} has no response for {', '.join(missing)}"
            diagnostics.add("DH044", message, operation.source)


def sdk_arguments(api: Api, diagnostics: Diagnostics) -> None:
    """DH045: x-dhatu.sdk names parameters and properties that the operation has."""
    components = {component.name.wire: component.schema for component in api.components}
    for operation in api.operations:
        arguments = {parameter.name.wire for parameter in operation.parameters}
        for payload in operation.body.payloads if operation.body else ():
            arguments |= property_names(payload.schema, components)
        for name in operation.positional:
            if name not in arguments:
                _unknown(diagnostics, operation, f"positional names {name!r}", (name, arguments))
        if operation.pagination is None:
            continue
        query = {item.name.wire for item in operation.parameters if item.location == "query"}
        if operation.pagination.parameter not in query:
            name = operation.pagination.parameter
            _unknown(diagnostics, operation, f"paginate.parameter names {name!r}", (name, query))
        answered: set[str] = set()
        for response in operation.responses:
            for payload in response.payloads if response.status.startswith("2") else ():
                answered |= property_names(payload.schema, components)
        for part, name in (("cursor", operation.pagination.cursor), ("items", operation.pagination.items)):
            if name not in answered:
                _unknown(diagnostics, operation, f"paginate.{part} names {name!r}", (name, answered))


def property_names(schema: Schema | None, components: dict[str, Schema], depth: int = 8) -> set[str]:
    """The properties that a value of this schema may have by name; `depth` bounds the recursion."""
    match schema:
        case Object():
            return {item.name.wire for item in schema.properties}
        case Ref() if depth and schema.component in components:
            return property_names(components[schema.component], components, depth - 1)
        case Union() if depth:
            return set[str]().union(
                *(property_names(item, components, depth - 1) for item in schema.variants)
            )
        case Intersection() if depth:
            return set[str]().union(*(property_names(item, components, depth - 1) for item in schema.parts))
        case _:
            return set()


def _unknown(
    diagnostics: Diagnostics, operation: Operation, what: str, name_and_known: tuple[str, set[str]]
) -> None:
    suggestion = nearest(*name_and_known)
    hint = (
        f"did you mean {suggestion!r}?"
        if suggestion
        else f"known names: {', '.join(sorted(name_and_known[1]))}"
    )
    message = f"x-dhatu.sdk of {operation.key}: {what}, which it does not have"
    diagnostics.add("DH045", message, operation.source, hint=hint)
