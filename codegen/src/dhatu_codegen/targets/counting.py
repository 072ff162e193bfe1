"""The rule of the count, whatever the language: every operation is rendered once, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ..ir.api import Api
from .base import TargetError


class CountError(TargetError):
    """What was rendered is not what the API has."""


def hold_against(api: Api, sdk: str, rendered: Mapping[str, Counter[str]]) -> None:
    """Raise `CountError`, which names what is missing and what is too much of each kind of rendering."""
    wanted = Counter(operation.key for operation in api.operations)
    problems = [problem for what, there in rendered.items() for problem in _problems(what, wanted, there)]
    if problems:
        raise CountError(
            f"the {sdk} must hold each of {wanted.total()} operations once: {'; '.join(problems)}"
        )


def _problems(what: str, wanted: Counter[str], there: Counter[str]) -> Iterator[str]:
    missing, surplus = wanted - there, there - wanted
    if missing:
        yield f"{what} missing: {', '.join(sorted(missing.elements()))}"
    if surplus:
        yield f"{what} too many: {', '.join(sorted(surplus.elements()))}"
