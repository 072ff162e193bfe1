"""The whole API: everything that a target may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from .operation import Operation
from .policy import Cors
from .schema import Component, Json
from .security import Role, SecurityScheme, TokenGrant
from .server import Server
from .upstream import UpstreamPolicy
from .webhook import Webhook

SYSTEM: Final = "system"
"""The service whose operations the gateway answers itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A backend, and the variable that says where it is."""

    name: str
    description: str
    upstream_env: str
    """Environment variable with its base URLs; empty for `SYSTEM`."""
    upstream_default: str
    upstream: UpstreamPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the API."""

    name: str
    state: Literal["current", "deprecated"]
    deprecated_at: str
    """RFC 3339 date, or empty."""
    sunset: str
    link: str
    """Where its successor is described."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkNames:
    """What the SDKs are called, language by language."""

    python_package: str
    python_distribution: str
    javascript_package: str
    client: str
    """Name of the client class: `DhatuAPI`."""
    environment_prefix: str
    """`DHATU`, as in `DHATU_API_KEY`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A merged document, understood."""

    title: str
    version: str
    description: str
    servers: tuple[Server, ...]
    services: tuple[Service, ...]
    versions: tuple[Version, ...]
    cors: Cors
    """Of whatever is no operation, and of operations that say nothing else."""
    security_headers: tuple[tuple[str, str], ...]
    """Name and value of what every answer carries."""
    header_prefix: str
    """`X-Dhatu-`; empty for an API without the extension."""
    sdk: SdkNames
    operations: tuple[Operation, ...]
    components: tuple[Component, ...]
    security_schemes: tuple[SecurityScheme, ...]
    grants: tuple[TokenGrant, ...]
    """How tokens of those schemes are obtained; the first of a kind is the one to take."""
    document: Mapping[str, Json]
    """The merged document itself, for targets that embed schemas."""
    webhooks: tuple[Webhook, ...] = ()
    roles: tuple[Role, ...] = ()
    """None where the platform describes no roles; then any scope may be given to anybody."""
