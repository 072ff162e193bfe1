"""The merged document to `Api`."""

from __future__ import annotations

from typing import Literal

from ..diagnostics import Diagnostics
from ..document import Map, Node
from ..ir.api import SYSTEM, Api, SdkNames, Service, Version
from ..ir.name import Name
from ..ir.policy import Cors
from ..ir.schema import Component
from ..merge import EXTENSION
from .context import Context
from .cors import parse_cors
from .operations import parse_operations
from .roles import parse_roles
from .schemas import parse_circular, parse_schema
from .security import parse_security_schemes
from .servers import parse_servers
from .tokens import parse_grants
from .upstream import parse_upstream
from .webhooks import parse_webhooks


def parse(document: Map, diagnostics: Diagnostics) -> Api:
    """Understand a merged document whose structure has been checked."""
    root = Node.of(document)
    context = Context(root=root, diagnostics=diagnostics)
    info, facts = root.get("info"), root.get(EXTENSION)
    title = info.text("title") if info else ""
    schemes, operations = parse_security_schemes(context), parse_operations(context)
    components = _components(context)
    return Api(
        title=title,
        version=info.text("version") if info else "",
        description=info.text("description").strip() if info else "",
        servers=parse_servers(root),
        services=_services(facts),
        versions=_versions(facts),
        cors=parse_cors(facts.get("cors") if facts else None, Cors()),
        security_headers=_security_headers(facts),
        header_prefix=facts.text("header_prefix") if facts else "",
        sdk=_sdk_names(facts, title),
        operations=operations,
        webhooks=parse_webhooks(context),
        components=components,
        security_schemes=schemes,
        grants=parse_grants(schemes, operations, components, diagnostics),
        document=document,
        roles=parse_roles(facts, diagnostics),
    )


def _components(context: Context) -> tuple[Component, ...]:
    schemas = context.root.at("/components/schemas")
    named = [
        Component(name=Name.of(name), schema=parse_schema(context, node), source=node.source)
        for name, node in (schemas.members() if schemas else ())
    ]
    return (*named, *parse_circular(context))


def _services(facts: Node | None) -> tuple[Service, ...]:
    listed = facts.get("services") if facts else None
    found: list[Service] = []
    for name, node in listed.members() if listed else ():
        upstream = node.get("upstream")
        found.append(
            Service(
                name=name,
                description=node.text("description").strip(),
                upstream_env=(upstream.text("env") if upstream else "") or _url_variable(name),
                upstream_default=upstream.text("default") if upstream else "",
                upstream=parse_upstream(upstream),
            )
        )
    return tuple(found)


def _url_variable(service: str) -> str:
    """Where platform.yaml names none: `CORPUS_SERVICE_URL`."""
    return "" if service == SYSTEM else f"{service.upper()}_SERVICE_URL"


def _versions(facts: Node | None) -> tuple[Version, ...]:
    listed = facts.get("versions") if facts else None
    found: list[Version] = []
    for name, node in listed.members() if listed else ():
        state: Literal["current", "deprecated"] = (
            "deprecated" if node.text("state") == "deprecated" else "current"
        )
        found.append(
            Version(
                name=name,
                state=state,
                deprecated_at=node.text("deprecated_at"),
                sunset=node.text("sunset"),
                link=node.text("link"),
            )
        )
    return tuple(found)


def _security_headers(facts: Node | None) -> tuple[tuple[str, str], ...]:
    listed = facts.get("security_headers") if facts else None
    return (
        tuple((name, node.value) for name, node in listed.members() if isinstance(node.value, str))
        if listed
        else ()
    )


def _sdk_names(facts: Node | None, title: str) -> SdkNames:
    """As platform.yaml has them, else made from the title."""
    sdk = facts.get("sdk") if facts else None
    words = [word for word in Name.of(title).words if word.isascii()] or ["api"]
    python, javascript = (sdk.get("python"), sdk.get("javascript")) if sdk else (None, None)
    name = "_".join(words)
    client = "".join(word.capitalize() for word in words)
    return SdkNames(
        python_package=python.text("package", name) if python else name,
        python_distribution=python.text("distribution", name.replace("_", "-"))
        if python
        else name.replace("_", "-"),
        javascript_package=javascript.text("package", "-".join(words)) if javascript else "-".join(words),
        client=sdk.text("client", client) if sdk else client,
        environment_prefix=sdk.text("environment_prefix", name.upper()) if sdk else name.upper(),
    )
