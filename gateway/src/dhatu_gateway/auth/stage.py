"""The stages that decide who calls, and whether they may: built per route from what the spec says about it.

`security` is OR of AND (OpenAPI 3.1, Security Requirement Object): one alternative is enough, and it takes
all of its credentials with all of their scopes. Scopes are checked here with the credential they belong to,
since a token must not lend its scopes to a key; `authorize` adds what does not depend on how the caller was
authenticated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from dhatu_gateway.auth.authenticator import BEARER_KINDS, Authenticator, SchemeAuthenticator
from dhatu_gateway.auth.certificates import ClientCertificates
from dhatu_gateway.auth.credentials import Verified
from dhatu_gateway.auth.errors import (
    AuthError,
    CertificateError,
    InvalidCredentialError,
    ProviderError,
    StoreError,
)
from dhatu_gateway.auth.rbac import role_check
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.server.peer import PEER_KEY, PeerCertificate
from dhatu_gateway.core.types import Route, SecurityScheme


class Need(NamedTuple):
    """One credential that an alternative asks for."""

    header: bytes
    """Empty for the certificate of the connection."""
    scheme: SchemeAuthenticator | ClientCertificates
    scopes: frozenset[str]


Alternative = tuple[Need, ...]


def build_authenticate(
    route: Route,
    schemes: Iterable[SecurityScheme],
    authenticator: Authenticator,
    certificates: ClientCertificates | None = None,
) -> Stage | None:
    """Enforce the route's security; None where anybody may call.

    Without `certificates` nobody can be known by one. Raises `AuthError` at boot where the route asks for
    something that cannot be enforced.
    """
    if not route.security:
        return None
    by_key = {scheme.key: scheme for scheme in schemes}
    route = route if certificates is not None else _without_certificates(route, by_key)
    alternatives = _alternatives(route, by_key, authenticator, certificates)
    # For a caller who has been seen before: one lookup and one set comparison, if one credential is enough.
    known = tuple(
        (needs[0].header, needs[0].scheme.verified.by_value, needs[0].scopes)
        for needs in alternatives
        if needs and all(len(needs) <= 1 for needs in alternatives)
        if isinstance(needs[0].scheme, SchemeAuthenticator)
    )
    refusal = Refusal(route, by_key)

    async def decide(exchange: Exchange) -> None:
        try:
            await _decide(exchange, alternatives, refusal)
        except (StoreError, ProviderError) as error:
            raise ProblemError(
                "unavailable", "Credentials cannot be checked at the moment; try again."
            ) from error

    def authenticate(exchange: Exchange) -> Awaitable[None] | None:
        for header, by_value, scopes in known:
            value = exchange.fields.get(header)
            if value is None:
                continue
            verified = by_value.get(value)
            if verified is None or verified[1] <= exchange.started_at_s or not scopes <= verified[0].scopes:
                break
            exchange.principal = verified[0]
            return None
        return decide(exchange)

    scopes = next((needs[0].scopes for needs in alternatives if needs and not needs[0].header), None)
    if scopes is None or not all(len(needs) <= 1 for needs in alternatives):
        return authenticate
    return _by_certificate(scopes, tuple(header for header, _, _ in known), authenticate)


def build_authorize(route: Route) -> Stage | None:
    """Enforce the route's roles; None where it asks for none.

    Raises `AuthError` at boot for roles on a route that lets anybody in.
    """
    if not route.roles:
        return None
    if not route.security or () in route.security:
        raise AuthError(
            f"{route.operation} asks for roles but lets anybody in: give it a security requirement"
        )
    holds = role_check(route.roles)
    detail = f"One of these roles is needed: {', '.join(route.roles)}."

    def authorize(exchange: Exchange) -> None:
        if exchange.principal is None or not holds(exchange.principal):
            raise ProblemError("forbidden", detail)

    return authorize


def _by_certificate(scopes: frozenset[str], headers: tuple[bytes, ...], otherwise: Stage) -> Stage:
    """Let in who is known by the certificate of its connection, at the price of a look at that."""

    def authenticate(exchange: Exchange) -> Awaitable[None] | None:
        peer: PeerCertificate | None = exchange.scope.get(PEER_KEY)
        if (
            peer is not None
            and peer.principal is not None
            and peer.valid_until_s > exchange.started_at_s
            and scopes <= peer.principal.scopes
            and not any(header in exchange.fields for header in headers)
        ):
            exchange.principal = peer.principal
            return None
        return otherwise(exchange)

    return authenticate


def _without_certificates(route: Route, by_key: Mapping[str, SecurityScheme]) -> Route:
    """Leave out the alternatives that nobody can fulfil; raises `AuthError` where none is left."""
    left = tuple(
        requirement
        for requirement in route.security
        if all(by_key[credential.scheme].kind != "mutual_tls" for credential in requirement)
    )
    if not left:
        raise AuthError(
            f"{route.operation} asks for a client certificate, but none stands for anybody: "
            "set GATEWAY_CLIENT_CA_FILE and CLIENT_CERTIFICATES_FILE"
        )
    return replace(route, security=left)


def _alternatives(
    route: Route,
    by_key: Mapping[str, SecurityScheme],
    authenticator: Authenticator,
    certificates: ClientCertificates | None,
) -> tuple[Alternative, ...]:
    def need(scheme: SecurityScheme, scopes: frozenset[str]) -> Need:
        if scheme.kind == "mutual_tls" and certificates is not None:
            return Need(b"", certificates, scopes)
        return Need(_header(scheme), authenticator.scheme(scheme), scopes)

    alternatives = [
        tuple(need(by_key[credential.scheme], frozenset(credential.scopes)) for credential in requirement)
        for requirement in route.security
    ]
    # Anonymous last: whoever sends a credential means to be known by it.
    return tuple(sorted(alternatives, key=lambda needs: not needs))


def _header(scheme: SecurityScheme) -> bytes:
    return b"authorization" if scheme.kind in BEARER_KINDS else scheme.parameter.lower().encode("ascii")


async def _decide(exchange: Exchange, alternatives: tuple[Alternative, ...], refusal: Refusal) -> None:
    """Find the first alternative that holds, in the order of the spec, or refuse the request."""
    outcomes: dict[Need, Verified | InvalidCredentialError | None] = {}
    for needs in alternatives:
        for need in needs:
            if need not in outcomes:
                outcomes[need] = await _outcome(exchange, need)
    missing: frozenset[str] | None = None
    invalid = next((o for o in outcomes.values() if isinstance(o, InvalidCredentialError)), None)
    for needs in alternatives:
        callers = [outcomes[need] for need in needs]
        verified = [caller for caller in callers if isinstance(caller, Verified)]
        if len(verified) < len(needs):
            continue
        if not needs:
            if invalid is None and missing is None:
                return
            continue
        lacking = frozenset(
            scope
            for need, caller in zip(needs, verified, strict=True)
            for scope in need.scopes - caller.principal.scopes
        )
        if not lacking:
            exchange.principal = verified[0].principal
            return
        missing = lacking if missing is None else missing
    raise refusal.forbidden(missing) if missing is not None else refusal.unauthorized(invalid)


async def _outcome(exchange: Exchange, need: Need) -> Verified | InvalidCredentialError | None:
    try:
        if isinstance(need.scheme, ClientCertificates):
            peer: PeerCertificate | None = exchange.scope.get(PEER_KEY)
            return None if peer is None else need.scheme.verify(peer, exchange.started_at_s)
        value = exchange.fields.get(need.header)
        return None if value is None else await need.scheme.verify(value, exchange.started_at_s)
    except InvalidCredentialError as error:
        return error


class Refusal:
    """Says why a request is refused, and how to authenticate (RFC 9110 section 11.6.1, RFC 6750)."""

    def __init__(self, route: Route, by_key: Mapping[str, SecurityScheme]) -> None:
        keys = dict.fromkeys(credential.scheme for needs in route.security for credential in needs)
        schemes = [by_key[key] for key in keys]
        self._bearer = any(scheme.kind in BEARER_KINDS for scheme in schemes)
        self._api_key = next((scheme.parameter for scheme in schemes if scheme.kind == "api_key"), None)
        ways = [f"an API key in {self._api_key}"] if self._api_key else []
        ways += ["a token in Authorization"] if self._bearer else []
        self._certificate = any(scheme.kind == "mutual_tls" for scheme in schemes)
        ways += ["a client certificate with the connection"] if self._certificate else []
        joint = " and " if all(len(needs) > 1 for needs in route.security) else " or "
        self._nothing_sent = f"Send {joint.join(ways)}."

    def unauthorized(self, invalid: InvalidCredentialError | None) -> ProblemError:
        """401: nothing valid was sent."""
        detail = str(invalid) if invalid is not None else self._nothing_sent
        challenges: list[bytes] = []
        if self._bearer:
            challenges.append(
                b'Bearer realm="dhatu"' + (b', error="invalid_token"' if invalid is not None else b"")
            )
        if self._api_key:
            challenges.append(b'ApiKey realm="dhatu", header="%b"' % self._api_key.encode("ascii"))
        if self._certificate:
            challenges.append(b'ClientCertificate realm="dhatu"')
        headers = [(b"www-authenticate", b", ".join(challenges))]
        if isinstance(invalid, CertificateError):
            headers.append((b"connection", b"close"))
        return ProblemError("unauthorized", detail, headers=headers)

    def forbidden(self, missing: frozenset[str]) -> ProblemError:
        """403: the caller is known but holds too little."""
        names = sorted(missing)
        one = len(names) == 1
        detail = f"The scope {names[0]} is missing." if one else f"The scopes {', '.join(names)} are missing."
        challenge = f'Bearer realm="dhatu", error="insufficient_scope", scope="{" ".join(names)}"'.encode(
            "ascii"
        )
        return ProblemError(
            "forbidden", detail, headers=[(b"www-authenticate", challenge)] if self._bearer else []
        )
