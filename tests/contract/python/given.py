"""What a case gives, in the SDK's own terms."""

from __future__ import annotations

import base64
import importlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

Given = Mapping[str, Any]
Call = Mapping[str, Any]

WALL_S = 1_700_000_000.0
"""Tue, 14 Nov 2023 22:13:20 GMT: when a case begins that does not say."""


def arguments_of(call: Call, folder: Path) -> dict[str, Any]:
    """The arguments of a call; `folder` is for files among them."""
    return {name: _argument(value, folder) for name, value in call.get("arguments", {}).items()}


def _argument(value: Any, folder: Path) -> Any:
    """JSON as it is; `$bytes`, `$chunks` and `$file` as what they stand for."""
    match value:
        case {"$bytes": str(text)}:
            return text.encode()
        case {"$base64": str(text)}:
            return base64.b64decode(text)
        case {"$chunks": [*chunks]}:
            return iter([chunk.encode() for chunk in chunks])
        case {"$file": {"name": str(name), "text": str(text)}}:
            path = folder / name
            path.write_text(text, encoding="utf-8")
            return path
        case _:
            return value


def options_of(package: ModuleType, given: Given, *, awaits: bool) -> dict[str, Any]:
    """The client's options, with policies where the case has plain objects; `awaits` as the client does."""
    options = dict(given.get("client", {}))
    match options.get("token"):
        case {"$provided": [*tokens]}:
            options["token"] = _provider(package, tokens, awaits=awaits)
    for kind, fields in options.get("auth", {}).items():
        grants = {"client_credentials": package.ClientCredentials, "refresh_token": package.RefreshToken}
        options["auth"] = grants[kind](**fields)
    if "resilience" in options:
        policies = {name: _policy(package, name, value) for name, value in options["resilience"].items()}
        options["resilience"] = package.Resilience(**policies)
    return options


def _provider(package: ModuleType, tokens: Sequence[Mapping[str, Any]], *, awaits: bool) -> Any:
    """Provides each token once."""
    left = iter(tokens)

    def provide() -> Any:
        token = next(left, None)
        assert token is not None, "nobody expected that another token would be asked for"
        return package.Token(token["value"], token.get("expires_in_s"))

    async def aprovide() -> Any:
        return provide()

    return aprovide if awaits else provide


def _policy(package: ModuleType, name: str, value: Any) -> Any:
    """A policy as an object of its class, those within it included."""
    if not isinstance(value, dict):
        return value
    fields = {key: _policy(package, key, member) for key, member in value.items()}
    within = ("balance", "ejection")
    home = importlib.import_module(f"{package.__name__}._balance.policy") if name in within else package
    return getattr(home, f"{name.capitalize()}Policy")(**fields)


def surroundings_of(package: ModuleType, given: Given, now_s: Callable[[], float], **sleeping: Any) -> Any:
    chance = given.get("random", 0.5)
    draws = itertools.cycle(chance if isinstance(chance, list) else [chance])
    tokens = itertools.count(1)
    wall_s = given.get("wall_s", WALL_S)
    return package._settings.Surroundings(
        now_s=now_s,
        wall_s=lambda: wall_s + now_s(),
        random=lambda: next(draws),
        new_token=lambda: f"token-{next(tokens)}",
        **sleeping,
    )
