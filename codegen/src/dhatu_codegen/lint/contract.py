"""What an operation promises: names, security, errors."""

from __future__ import annotations

from ..diagnostics import Diagnostics, Related
from ..document import Node
from ..ir.api import Api
from ..ir.operation import Operation
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
