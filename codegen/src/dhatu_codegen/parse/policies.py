"""`x-dhatu` of an operation to its `Policy`: platform.yaml's defaults below it, HTTP's own below those."""

from __future__ import annotations

from typing import Any, Final, cast

from ..document import Node
from ..ir.policy import (
    REQUEST_PARTS,
    Cache,
    Cors,
    Fallback,
    Idempotency,
    Networks,
    Policy,
    Priority,
    RetryClass,
    Validate,
    WebSocket,
)
from .cors import parse_cors
from .limits import parse_limits
from .upstream import parse_breaker, parse_hedge, parse_tries

_RETRY_OF_METHOD: Final[dict[str, RetryClass]] = {
    "GET": "safe",
    "HEAD": "safe",
    "OPTIONS": "safe",
    "TRACE": "safe",
    "QUERY": "safe",
    "PUT": "idempotent",
    "DELETE": "idempotent",
}
"""RFC 9110, section 9.2, and OpenAPI 3.2 of QUERY; every other method may do something twice."""

_TIMEOUT_S: Final = 60.0
_MAX_BODY_BYTES: Final = 1_048_576
_WEBSOCKET_IDLE_S: Final = 300.0
"""Envoy's `stream_idle_timeout`, far above the pings that libraries send."""
_KEEP_S: Final = 86_400


def parse_policy(operation: Node, facts: Node | None, method: str, *, asks_who_calls: bool) -> Policy:
    """The policy of one operation; x-dhatu has been checked, so its values are taken as they are.

    `facts` is what platform.yaml says: the defaults of policies, the rules for browsers, and the tiers.
    """
    own = operation.get("x-dhatu")
    defaults = facts.get("defaults") if facts else None

    def setting(key: str) -> Node | None:
        found = own.get(key) if own else None
        return found if found is not None or defaults is None else defaults.get(key)

    retry, timeout, largest = setting("retry"), setting("timeout_s"), setting("max_body_bytes")
    roles = setting("roles")
    derived = _RETRY_OF_METHOD.get(method, "never")
    return Policy(
        timeout_s=float(_number(timeout, _TIMEOUT_S)),
        max_body_bytes=int(_number(largest, _MAX_BODY_BYTES)),
        retry=cast(RetryClass, retry.text("class", derived)) if retry else derived,
        tries=parse_tries(retry),
        hedge=parse_hedge(setting("hedge")),
        idempotency=_idempotency(retry),
        rate_limit=parse_limits(
            setting("rate_limit"), facts.get("tiers") if facts and asks_who_calls else None
        ),
        breaker=parse_breaker(setting("breaker")),
        cache=_cache(setting("cache")) if method == "GET" else None,
        fallback=_fallback(setting("fallback")),
        priority=cast(Priority, priority.value) if (priority := setting("priority")) else "normal",
        validate=_validate(
            own.get("validate") if own else None, defaults.get("validate") if defaults else None
        ),
        roles=tuple(str(role.value) for role in roles.elements()) if roles else (),
        cors=parse_cors(
            own.get("cors") if own else None, parse_cors(facts.get("cors") if facts else None, Cors())
        ),
        networks=_networks(setting("networks")),
        websocket=_websocket(own.get("websocket") if own else None),
    )


def _idempotency(retry: Node | None) -> Idempotency | None:
    if retry is None or retry.text("class") != "keyed":
        return None
    required = retry.get("key_required")
    return Idempotency(
        keep_s=float(_number(retry.get("keep_s"), _KEEP_S)),
        required=required is not None and required.value is True,
    )


def _cache(node: Node | None) -> Cache | None:
    if node is None or node.value is None:
        return None
    return Cache(
        ttl_s=float(_number(node.get("ttl_s"), 0)),
        stale_if_error_s=float(_number(node.get("stale_if_error_s"), 0)),
        vary=node.texts("vary"),
        shared=(shared := node.get("shared")) is not None and shared.value is True,
    )


def _fallback(node: Node | None) -> Fallback | None:
    if node is None or node.value is None:
        return None
    body = node.get("body")
    return Fallback(status=int(_number(node.get("status"), 200)), body=body.value if body else None)


def _networks(node: Node | None) -> Networks | None:
    found = Networks(allow=node.texts("allow"), deny=node.texts("deny")) if node else None
    return found if found and (found.allow or found.deny) else None


def _websocket(node: Node | None) -> WebSocket | None:
    if node is None or not (node.value is True or isinstance(node.value, dict)):
        return None
    return WebSocket(idle_s=float(_number(node.get("idle_s"), _WEBSOCKET_IDLE_S)))


def _validate(own: Node | None, defaults: Node | None) -> Validate:
    """Part by part: an operation that sets `response` keeps the defaults of the others.

    `request` stands for all parts of the request that the same object does not name.
    """

    def part(keys: tuple[str, ...], implied: str) -> Any:
        for node in (own, defaults):
            for key in keys:
                if node is not None and node.get(key) is not None:
                    return node.text(key)
        return implied

    parts = {name: part((name, "request"), "enforce") for name in REQUEST_PARTS}
    return Validate(**parts, response=part(("response",), "log"), undeclared=part(("undeclared",), "keep"))


def _number(node: Node | None, otherwise: float) -> float:
    value = node.value if node else None
    return value if isinstance(value, (int, float)) else otherwise
