"""The operations that issue tokens and keep API keys."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import orjson
from fastapi import APIRouter, Query, Request, Response

from dhatu_gateway.auth import identity
from dhatu_gateway.auth.answers import CHALLENGE, refusing, token_pair
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.audit import add_audit
from dhatu_gateway.auth.login.endpoints import add_logins
from dhatu_gateway.auth.records import ApiKey, Position
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.core.exchange import SCOPE_KEY, Exchange, Principal
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.generated import models

Grant: TypeAlias = models.PasswordGrant | models.ApiKeyGrant | models.LoginCodeGrant


def auth_router(auth: Auth) -> APIRouter:
    """Handlers of the operations tagged `auth` and `api-keys`, of the audit log, and of the public keys."""
    router = APIRouter()
    _add_tokens(router, auth)
    add_logins(router, auth.logins, auth.wall_clock)
    _add_keys(router, auth)
    add_audit(router, auth.store)

    @router.get("/.well-known/jwks.json", response_model_exclude_none=True)
    async def jwks(response: Response) -> models.JwkSet:
        # Verifiers ask often; a key is published before it signs, so that five minutes cost nobody a token.
        response.headers["cache-control"] = "public, max-age=300"
        published = auth.access.published(now_s=auth.wall_clock())
        return models.JwkSet(keys=[models.Jwk.model_validate(jwk) for jwk in published])

    return router


def _add_tokens(router: APIRouter, auth: Auth) -> None:
    @router.post("/api/v1/auth/token")
    async def issue(body: models.TokenRequest, response: Response) -> models.TokenPair:
        now_s = auth.wall_clock()
        grant = body.root
        with refusing():
            principal, family = await _signed_in(auth, grant, now_s)
            if grant.scopes is not None:
                asked = frozenset(scope.root for scope in grant.scopes.root)
                _check_held(asked, principal.scopes, "scope")
                principal = replace(principal, scopes=asked)
            return token_pair(await auth.tokens.issue(principal, now_s=now_s, family=family), response)

    @router.post("/api/v1/auth/refresh")
    async def refresh(body: models.RefreshRequest, response: Response) -> models.TokenPair:
        with refusing():
            value = body.refresh_token.get_secret_value()
            return token_pair(await auth.tokens.refresh(value, now_s=auth.wall_clock()), response)

    @router.post("/api/v1/auth/revoke", status_code=204)
    async def revoke(body: models.RevokeRequest) -> None:
        with refusing():
            await auth.tokens.revoke(body.token.get_secret_value(), now_s=auth.wall_clock())


async def _signed_in(auth: Auth, grant: Grant, now_s: float) -> tuple[Principal, str | None]:
    """Who trades something for tokens, and their family where it is decided already."""
    match grant:
        case models.PasswordGrant():
            return await auth.users.sign_in(grant.username, grant.password.get_secret_value()), None
        case models.ApiKeyGrant():
            value = grant.api_key.get_secret_value().encode()
            return (await auth.keys.verify(value, now_s=now_s)).principal, None
        case models.LoginCodeGrant():
            code, verifier = grant.code.get_secret_value(), grant.code_verifier.get_secret_value()
            return await auth.logins.redeem(code, verifier, now_s=now_s)


def _add_keys(router: APIRouter, auth: Auth) -> None:
    @router.post("/api/v1/api-keys", status_code=201)
    async def create(body: models.NewApiKey, request: Request, response: Response) -> models.CreatedApiKey:
        caller = _caller(request)
        scopes = frozenset(scope.root for scope in body.scopes)
        roles = frozenset(role.root for role in body.roles or ())
        _check_granted(auth, caller, scopes, roles)
        new = NewKey(
            name=body.name, owner=caller.id, scopes=scopes, roles=roles, expires_in_s=body.expires_in_s
        )
        with refusing():
            record, key = await auth.keys.create(new, actor=caller.id, now_s=auth.wall_clock())
        return _created(record, key, response)

    @router.get("/api/v1/api-keys")
    async def list_(
        page_size: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> models.ApiKeyPage:
        after = _position(cursor) if cursor is not None else None
        with refusing():
            # One more than the page holds tells whether there is another page.
            found = await auth.keys.list(after=after, limit=page_size + 1)
        page = found[:page_size]
        return models.ApiKeyPage(
            api_keys=[models.ApiKey.model_validate(_shown(record)) for record in page],
            next_cursor=_cursor(page[-1]) if len(found) > page_size else None,
        )

    @router.delete("/api/v1/api-keys/{key_id}", status_code=204)
    async def revoke(key_id: str, request: Request) -> None:
        with refusing():
            actor = _caller(request).id
            found = await auth.tokens.revoke_key(key_id, actor=actor, now_s=auth.wall_clock())
        if not found:
            raise ProblemError("not-found", f"No API key has the id {key_id}.")

    @router.post("/api/v1/api-keys/{key_id}/rotate", status_code=201)
    async def rotate(
        key_id: str, body: models.KeyRotation, request: Request, response: Response
    ) -> models.CreatedApiKey:
        caller, now_s = _caller(request), auth.wall_clock()
        with refusing():
            old = await auth.store.find_key(key_id)
            if old is not None:
                # The answer holds a key: whoever may manage keys must not gain by it what they may not do.
                _check_granted(auth, caller, old.scopes, old.roles)
            made = await auth.keys.rotate(key_id, overlap_s=body.overlap_s or 0, actor=caller.id, now_s=now_s)
        if made is None:
            raise ProblemError("not-found", f"No API key that holds has the id {key_id}.")
        # So that this instance notices the end of the old key now.
        auth.authenticator.revoke(identity.key_id(key_id))
        return _created(*made, response)


def _caller(request: Request) -> Principal:
    exchange: Exchange = request.scope[SCOPE_KEY]
    if exchange.principal is None:
        # The route asks for a credential, so only a broken table of routes leads here: refuse all the same.
        raise ProblemError("unauthorized", "A credential is needed.", headers=[CHALLENGE])
    return exchange.principal


def _check_granted(auth: Auth, caller: Principal, scopes: frozenset[str], roles: frozenset[str]) -> None:
    """Nobody gives what they do not hold, be it by way of a role: narrowed tokens keep their roles."""
    given = auth.roles.expand(replace(caller, scopes=scopes, roles=roles))
    _check_held(given.roles, caller.roles, "role")
    _check_held(given.scopes, caller.scopes, "scope")


def _check_held(asked: frozenset[str], held: frozenset[str], noun: str) -> None:
    lacking = sorted(asked - held)
    if lacking:
        plural = "s" if len(lacking) > 1 else ""
        raise ProblemError("forbidden", f"You do not hold the {noun}{plural} {', '.join(lacking)} yourself.")


def _created(record: ApiKey, key: str, response: Response) -> models.CreatedApiKey:
    response.headers["cache-control"] = "no-store"
    return models.CreatedApiKey.model_validate({**_shown(record), "key": key})


def _shown(record: ApiKey) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "owner": record.owner,
        "scopes": sorted(record.scopes),
        "roles": sorted(record.roles),
        "created_at": datetime.fromtimestamp(record.created_at_s, UTC),
        "expires_at": (
            datetime.fromtimestamp(record.expires_at_s, UTC) if record.expires_at_s is not None else None
        ),
    }


def _cursor(record: ApiKey) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([record.created_at_s, record.id])).decode()


def _position(cursor: str) -> Position:
    try:
        created_at_s, id_ = orjson.loads(base64.urlsafe_b64decode(cursor))
        return Position(created_at_s=float(created_at_s), id=str(id_))
    except (ValueError, TypeError) as error:
        refused = FieldError(location="query", name="cursor", detail="is not a cursor of this operation")
        raise ProblemError(
            "invalid-request", "1 part of the request was refused; see errors.", errors=[refused]
        ) from error
