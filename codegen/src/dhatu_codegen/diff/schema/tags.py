"""The quick half of telling variants apart: their types, and a member that says which variant a value is."""

from __future__ import annotations

from .facts import Facts


def tagged_apart(one: Facts, other: Facts) -> bool:
    """Whether no value satisfies both for certain, by types or by the values of a required member.

    False says nothing: then both are to be looked at together.
    """
    types = one.types & other.types
    if not types:
        return True
    if types != frozenset({"object"}):
        return False
    demanded = one.required | other.required
    return any(
        name in demanded and values.isdisjoint(other.tags[name])
        for name, values in one.tags.items()
        if name in other.tags
    )
