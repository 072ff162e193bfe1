"""Breaks that somebody looked at and let pass, until a date: spec/accepted-breaks.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Map, Node
from .change import CONCERNS, Change

ACCEPTED_FILE: Final = "spec/accepted-breaks.yaml"
_KEYS: Final = frozenset({"id", "rule", "where", "reason", "expires"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One entry of the file."""

    id: str
    """Fingerprint of one change; empty where rule and place name it."""
    rule: str
    where: str
    reason: str
    expires: date
    node: Node

    def covers(self, change: Change) -> bool:
        """Whether the entry speaks of this change."""
        if self.id:
            return change.fingerprint == self.id
        return change.code == self.rule and change.where == self.where


def read_accepted(document: Map, diagnostics: Diagnostics) -> tuple[Acceptance, ...]:
    """The entries of `breaks`; DH255 for one that does not say what, why and until when."""
    listed = Node.of(document).get("breaks")
    found: list[Acceptance] = []
    for node in listed.elements() if listed else ():
        entry = _entry(node)
        if isinstance(entry, Acceptance):
            found.append(entry)
        else:
            diagnostics.add("DH255", entry, node.place, hint="id, or rule and where; reason; expires: a date")
    return tuple(found)


def _entry(node: Node) -> Acceptance | str:
    unknown = [key for key, _ in node.members() if key not in _KEYS]
    if unknown:
        return f"unknown key {unknown[0]!r}"
    rule, where = node.text("rule"), node.text("where")
    if not node.text("id") and not (rule in CONCERNS and where):
        return "an accepted break is named by its id, or by rule and where"
    if not node.text("reason").strip():
        return "an accepted break needs a reason"
    try:
        expires = date.fromisoformat(node.text("expires"))
    except ValueError:
        return "an accepted break needs the date when it expires, as in 2026-12-31"
    return Acceptance(
        id=node.text("id"), rule=rule, where=where, reason=node.text("reason"), expires=expires, node=node
    )


def apply_accepted(
    accepted: tuple[Acceptance, ...], changes: tuple[Change, ...], today: date, diagnostics: Diagnostics
) -> dict[Change, Acceptance]:
    """The changes that stand accepted. DH256: an entry has expired. DH257: it speaks of nothing."""
    found: dict[Change, Acceptance] = {}
    for entry in accepted:
        covered = [change for change in changes if entry.covers(change)]
        if not covered:
            message = "this accepted break is not there (any more)"
            diagnostics.add("DH257", message, entry.node.place, hint="remove the entry")
        elif entry.expires < today:
            message = f"this accepted break expired on {entry.expires}"
            diagnostics.add("DH256", message, entry.node.place, hint="mend the break, or renew its date")
        else:
            found.update(dict.fromkeys(covered, entry))
    return found
