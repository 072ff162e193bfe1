"""Who a provider says somebody is, in the terms of the platform."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.identity import Identity, provider_id, token_id
from dhatu_gateway.auth.jwt import INVALID, numeric_date
from dhatu_gateway.auth.providers.config import PrincipalClaims, Provider
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.core.exchange import Principal

SUBJECT = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
"""OpenID Connect Core 1.0 section 2: at most 255 characters of ASCII. It goes into a header and into logs."""
SCOPE = re.compile(r"[!#-\[\]-~]+")
"""RFC 6749 section 3.3."""


class Principals:
    """Makes callers of claims that have been verified."""

    def __init__(self, provider: Provider, roles: Roles) -> None:
        self._provider = provider
        self._role_map = dict(provider.principal.role_map)
        self._roles = roles

    def identity(self, claims: Mapping[str, Any], token: bytes) -> Identity:
        """Whom a token proves; raises `InvalidCredentialError` where it names nobody."""
        names = self._provider.principal
        subject = claims.get(names.subject)
        if not isinstance(subject, str) or SUBJECT.fullmatch(subject) is None:
            raise InvalidCredentialError(INVALID)
        id_ = provider_id(self._provider.name, subject)
        principal = Principal(
            id=id_,
            kind="oidc",
            scopes=_scopes(claims.get(names.scope)),
            roles=frozenset(names.fixed_roles).union(self._mapped(_at(claims, names))),
        )
        # Not `jti`: it is the provider's to choose, and many leave it out.
        digest = hashlib.sha256(token).hexdigest()
        return Identity(
            principal=self._roles.expand(principal),
            expires_at_s=numeric_date(claims["exp"]) if "exp" in claims else None,
            revocation_ids=(token_id(digest), id_),
        )

    def _mapped(self, value: object) -> Iterable[str]:
        listed = cast(list[object], value) if isinstance(value, list) else [value]
        return (self._role_map[role] for role in listed if isinstance(role, str) and role in self._role_map)


def _at(claims: Mapping[str, Any], names: PrincipalClaims) -> object:
    """The claim of roles: of that very name (some are addresses, with dots), or at the end of its path."""
    if not names.roles:
        return None
    if names.roles in claims:
        return cast(object, claims[names.roles])
    value: object = claims
    for part in names.roles.split("."):
        value = cast(Mapping[str, object], value).get(part) if isinstance(value, dict) else None
    return value


def _scopes(value: object) -> frozenset[str]:
    if isinstance(value, str):
        value = value.split(" ")
    listed = cast(list[object], value) if isinstance(value, list) else []
    return frozenset(
        scope for scope in listed if isinstance(scope, str) and SCOPE.fullmatch(scope) is not None
    )
