"""What an operator changes about a service at run time: endpoints, and policies beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import orjson

from dhatu_gateway.core.discovery.policy_overrides import NO_POLICY, PolicyChange, parse_policy
from dhatu_gateway.core.upstream.discovery import MAX_WEIGHT, Endpoint

_OF_POLICY: Final[tuple[str, ...]] = ("breaker", "operations")
_MEMBERS: Final = ("weights", "drain", *_OF_POLICY)


class InvalidOverrides(ValueError):
    """Overrides that cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Of one service. A selector is `host:port`, `tag:<tag>`, `zone:<zone>` or `*`."""

    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    """New weights by selector; the first of address, tag, zone and `*` that fits counts."""
    drain: frozenset[str] = frozenset()
    """Selectors of endpoints that get no new requests."""
    policy: PolicyChange = NO_POLICY

    def applied(self, endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
        """Change these; a drain that would leave nobody is not followed."""
        staying = [endpoint for endpoint in endpoints if self.drain.isdisjoint(_selectors(endpoint))]
        return tuple(self._weighted(endpoint) for endpoint in staying or endpoints)

    def _weighted(self, endpoint: Endpoint) -> Endpoint:
        for selector in _selectors(endpoint):
            if selector in self.weights:
                return replace(endpoint, weight=self.weights[selector])
        return endpoint


NO_OVERRIDES = Overrides()


def parse_overrides(texts: Mapping[str, bytes], services: Collection[str]) -> dict[str, Overrides]:
    """Read a JSON document for each service, all or none of them.

    >>> parse_overrides({"corpus": b'{"weights": {"tag:canary": 0.1}, "drain": ["10.0.0.1:80"]}'}, ["corpus"])
    ... # doctest: +ELLIPSIS
    {'corpus': Overrides(weights={'tag:canary': 0.1}, drain=frozenset({'10.0.0.1:80'}), ...)}

    Raises `InvalidOverrides` that names everything that is wrong.
    """
    problems: list[str] = []
    result: dict[str, Overrides] = {}
    for service, text in sorted(texts.items()):
        try:
            if service not in services:
                raise InvalidOverrides(f"there is no such service; there are {', '.join(sorted(services))}")
            result[service] = _parse(text)
        except InvalidOverrides as error:
            problems.append(f"{service}: {error}")
    if problems:
        raise InvalidOverrides("; ".join(problems))
    return result


def _parse(text: bytes) -> Overrides:
    try:
        document: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidOverrides(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidOverrides("must be an object")
    members = cast(dict[str, Any], document)
    if unknown := members.keys() - set(_MEMBERS):
        raise InvalidOverrides(f"may hold {', '.join(_MEMBERS)}, not {', '.join(sorted(unknown))}")
    weights: Any = members.get("weights", {})
    drain: Any = members.get("drain", [])
    if not isinstance(weights, dict) or not isinstance(drain, list):
        raise InvalidOverrides("weights must be an object, and drain an array")
    policy = {name: members[name] for name in _OF_POLICY if name in members}
    try:
        change = parse_policy(policy)
    except ValueError as error:
        raise InvalidOverrides(str(error)) from error
    shares, selectors = cast(dict[str, Any], weights), cast(list[object], drain)
    return Overrides(
        weights={_selector(name): _weight(value) for name, value in shares.items()},
        drain=frozenset(_selector(selector) for selector in selectors),
        policy=change,
    )


def _weight(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_WEIGHT:
        raise InvalidOverrides(f"a weight must be a number above 0 and up to {MAX_WEIGHT}, not {value!r}")
    return float(value)


def _selector(value: object) -> str:
    if not isinstance(value, str) or not (value == "*" or ":" in value.strip(":")):
        raise InvalidOverrides(f"{value!r} must be host:port, tag:<tag>, zone:<zone> or *")
    return value


def _selectors(endpoint: Endpoint) -> tuple[str, ...]:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    tags = (f"tag:{tag}" for tag in endpoint.tags)
    return f"{host}:{endpoint.port}", *tags, f"zone:{endpoint.zone}", "*"
