"""What x-dhatu says of a call: roles, and the policies by which it is carried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...ir.policy import REQUEST_PARTS, Cors, Idempotency, Networks, Policy, RateLimit, Validate
from ...pointer import join
from ..change import ADDED
from ..sides import Comparison

_RETRY: Final = ("never", "keyed", "idempotent", "safe")
"""From the class that allows least to the one that allows most."""


def roles(comparison: Comparison) -> None:
    """DH234: a role that sufficed no longer does, at an operation or for want of a scope that it granted."""
    after_by_name = {role.name: role for role in comparison.new.api.roles}
    for role in comparison.old.api.roles:
        now_role = after_by_name.get(role.name)
        lost_scopes = set(role.scopes).difference(now_role.scopes if now_role else ())
        if comparison.new.api.roles and lost_scopes:
            text = f"the role {role.name} no longer grants {', '.join(sorted(lost_scopes))}"
            place = join("x-dhatu", "roles", role.name)
            nodes = (comparison.old.root.at(place), comparison.new.root.at(place))
            comparison.add("DH234", f"role {role.name}", text, nodes)
    for old, was, new, now in comparison.operations:
        before, after = set(was.policy.roles), set(now.policy.roles)
        if after and (not before or before - after):
            lost = (
                f"{', '.join(sorted(before - after))} no longer suffices" if before else "any role sufficed"
            )
            text = f"{new.name} needs the role {' or '.join(sorted(after))}; {lost}"
            comparison.add("DH234", new.name, text, (old.node, new.node))
        elif before != after:
            text = f"{new.name} is open to more roles"
            comparison.add(ADDED, new.name, text, (old.node, new.node))


def policies(comparison: Comparison) -> None:
    """DH235: smaller bodies. DH236: tighter limits. DH219: anything else about how a call is carried."""
    for old, was, new, now in comparison.operations:
        for code, text in compared(was.policy, now.policy):
            comparison.add(code, new.name, f"{new.name}: {text}", (old.node, new.node))


def compared(was: Policy, now: Policy) -> list[tuple[str, str]]:
    """(code, text) for every field of the policy but the roles."""
    found: list[tuple[str, str]] = []
    if was.max_body_bytes != now.max_body_bytes:
        code = "DH235" if now.max_body_bytes < was.max_body_bytes else ADDED
        found.append((code, f"max_body_bytes was {was.max_body_bytes}, is {now.max_body_bytes}"))
    if was.timeout_s != now.timeout_s:
        code = "DH236" if now.timeout_s < was.timeout_s else ADDED
        found.append((code, f"timeout_s was {was.timeout_s:g}, is {now.timeout_s:g}"))
    if was.rate_limit != now.rate_limit:
        code = "DH236" if _tighter(was.rate_limit, now.rate_limit) else ADDED
        found.append((code, f"rate_limit was {_limits(was.rate_limit)}, is {_limits(now.rate_limit)}"))
    if was.retry != now.retry:
        code = "DH236" if _RETRY.index(now.retry) < _RETRY.index(was.retry) else ADDED
        found.append((code, f"retry was {was.retry}, is {now.retry}"))
    found += _idempotency(was.idempotency, now.idempotency)
    found += _validate(was.validate, now.validate)
    found += _cors(was.cors, now.cors)
    if was.networks != now.networks:
        code = "DH236" if _narrower(was.networks, now.networks) else ADDED
        found.append((code, f"networks was {_whence(was.networks)}, is {_whence(now.networks)}"))
    if (was.websocket is None) != (now.websocket is None):
        found.append(("DH236", f"it is {'now' if now.websocket else 'no longer'} a WebSocket"))
    elif was.websocket and now.websocket and was.websocket != now.websocket:
        before, after = was.websocket.idle_s, now.websocket.idle_s
        found.append((ADDED, f"websocket.idle_s was {before:g}, is {after:g}"))
    for part in ("tries", "hedge", "breaker", "cache", "fallback", "priority"):
        before, after = getattr(was, part), getattr(now, part)
        if before != after:
            word = "is new" if before is None else "is gone" if after is None else "is not as it was"
            found.append((ADDED, f"{part} {word}"))
    return found


def _idempotency(was: Idempotency | None, now: Idempotency | None) -> list[tuple[str, str]]:
    """What an operation loses by being keyed no more is its class of retries'."""
    if was == now or now is None:
        return []
    if was is None:
        return [("DH236" if now.required else ADDED, f"an Idempotency-Key {_key(now)}")]
    tighter = now.keep_s < was.keep_s or (now.required and not was.required)
    return [("DH236" if tighter else ADDED, f"an Idempotency-Key {_key(was)}, and now {_key(now)}")]


def _key(idempotency: Idempotency) -> str:
    return f"{'is needed' if idempotency.required else 'may be sent'} and holds for {idempotency.keep_s:g} s"


def _narrower(was: Networks | None, now: Networks | None) -> bool:
    """Whether a caller may have become one who is refused; a network within another counts as another."""
    if now is None:
        return False
    allowed, denied = (set(was.allow), set(was.deny)) if was else (set[str](), set[str]())
    shut_out = now.allow and (not allowed or allowed - set(now.allow))
    return bool(shut_out) or bool(set(now.deny) - denied)


def _whence(networks: Networks | None) -> str:
    if networks is None:
        return "any"
    denied = f", not {', '.join(networks.deny)}" if networks.deny else ""
    return (", ".join(networks.allow) or "any") + denied


def _cors(was: Cors, now: Cors) -> Iterator[tuple[str, str]]:
    """A page that could call, or read, no longer can."""
    for part in ("allow_origins", "allow_headers", "expose_headers"):
        before, after = set(getattr(was, part)), set(getattr(now, part))
        if before != after:
            lost = before - after and "*" not in after
            text = f"cors.{part} was {_listed(before)}, is {_listed(after)}"
            yield "DH236" if lost else ADDED, text
    if was.allow_credentials != now.allow_credentials:
        word = "are no longer" if was.allow_credentials else "are"
        yield "DH236" if was.allow_credentials else ADDED, f"cors: credentials {word} allowed"
    if was.max_age_s != now.max_age_s:
        yield ADDED, f"cors.max_age_s was {was.max_age_s}, is {now.max_age_s}"


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(values)) or "none"


def _validate(was: Validate, now: Validate) -> Iterator[tuple[str, str]]:
    for part in (*REQUEST_PARTS, "response"):
        before, after = getattr(was, part), getattr(now, part)
        if before != after:
            stricter = part != "response" and after == "enforce"
            yield "DH236" if stricter else ADDED, f"validate.{part} was {before}, is {after}"
    if was.undeclared != now.undeclared:
        code = "DH236" if now.undeclared == "strip" else ADDED
        yield code, f"validate.undeclared was {was.undeclared}, is {now.undeclared}"


def _tighter(was: tuple[RateLimit, ...], now: tuple[RateLimit, ...]) -> bool:
    """Whether a limit that refuses is new, or refuses what its namesake let pass."""
    before = {(limit.name, limit.roles): limit for limit in was if not limit.shadow}
    return any(
        _refuses_more(before.get((limit.name, limit.roles)), limit) for limit in now if not limit.shadow
    )


def _refuses_more(was: RateLimit | None, now: RateLimit) -> bool:
    if was is None:
        return True
    if _counted(was) != _counted(now):
        return True  # whom it counts together, and how strictly: either may refuse what passed
    slower = now.limit / (now.window_s or 1) / now.cost < was.limit / (was.window_s or 1) / was.cost
    closed = now.on_store_failure == "closed" and was.on_store_failure != "closed"
    charged = now.charge_refused and not was.charge_refused
    return slower or closed or charged or now.burst / now.cost < was.burst / was.cost


def _counted(limit: RateLimit) -> tuple[object, ...]:
    whom = limit.by, limit.header, limit.across, limit.roles, limit.except_roles
    return *whom, limit.algorithm, limit.per


def _limits(limits: tuple[RateLimit, ...]) -> str:
    return ", ".join(map(_limit, limits)) or "none"


def _limit(limit: RateLimit) -> str:
    at_once = limit.algorithm == "concurrency"
    facts = [] if at_once else [f"burst {limit.burst}"]
    facts += [f"by {f'header {limit.header}' if limit.header else limit.by}"]
    facts += [limit.algorithm] if limit.algorithm not in ("token_bucket", "concurrency") else []
    facts += [f"cost {limit.cost}"] if limit.cost != 1 else []
    facts += [f"lease {limit.lease}"] if limit.lease != 1 else []
    facts += ["shadow"] if limit.shadow else []
    named = "" if limit.name == "default" else f"{limit.name}: "
    facts += [f"across the {limit.across}"] if limit.across != "operation" else []
    facts += [f"of {' or '.join(limit.roles)}"] if limit.roles else []
    window = "at once" if at_once else f"in a {limit.per}" if limit.per else f"in {limit.window_s:g} s"
    return f"{named}{limit.limit} {window} ({', '.join(facts)})"
