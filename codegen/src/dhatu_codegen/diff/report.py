"""Changes as diagnostics, and the version that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..diagnostics import CODES, Diagnostics, Related
from ..document import Map, Node
from .accepted import ACCEPTED_FILE, apply_accepted, read_accepted
from .change import CONCERNS, Change
from .compare import compare
from .version import BUMPS, Bump, asked_for, given, raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is compared with what, and by which light."""

    old: Map
    new: Map
    accepted: Map | None
    """accepted-breaks.yaml, where there is one."""
    today: date
    notes: bool
    """Whether to tell what breaks nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What changed, and how far the version has to go."""

    changes: tuple[Change, ...]
    asked: Bump
    given: Bump | None
    """None where one of the versions cannot be read."""


def report(question: Question, diagnostics: Diagnostics) -> Answer:
    """Add a diagnostic for each change; one that is accepted is DH254, a note."""
    changes = compare(question.old, question.new, question.today)
    entries = read_accepted(question.accepted, diagnostics) if question.accepted is not None else ()
    accepted = apply_accepted(entries, changes, question.today, diagnostics)
    for change in changes:
        if question.notes or (CODES[change.code][0] != "note" and change not in accepted):
            entry = accepted.get(change)
            until = f"accepted until {entry.expires}: {entry.reason}" if entry else ""
            _tell(change, until, diagnostics)
    old, new = Node.of(question.old), Node.of(question.new)
    standing = tuple(change for change in changes if change not in accepted)
    asked = asked_for(standing, identical=question.old == question.new)
    versions = [node.text("version") if (node := root.get("info")) else "" for root in (old, new)]
    grew = given(*versions)
    if grew is not None and BUMPS.index(grew) < BUMPS.index(asked) and question.notes:
        info = new.at("/info/version") or new
        message = f"the changes ask for a {asked} version, {raised(versions[0], asked)} or later"
        related = [Related(message="the version before", source=(old.at("/info/version") or old).place)]
        diagnostics.add("DH253", message, info.place, related=related)
    return Answer(changes=changes, asked=asked, given=grew)


def _tell(change: Change, accepted: str, diagnostics: Diagnostics) -> None:
    place = change.new or change.old
    if place is None:
        raise ValueError(f"{change.text} is nowhere")
    related = [Related(message="was here", source=change.old)] if change.new and change.old else []
    message = f"{CONCERNS[change.code]}: {change.text}"
    if accepted:
        diagnostics.add("DH254", message, place, related=related, hint=accepted)
        return
    hint = change.hint
    if CODES[change.code][0] == "error":
        way = f"to accept it, list the id {change.fingerprint} in {ACCEPTED_FILE}"
        hint = f"{hint}; {way}" if hint else way
    diagnostics.add(change.code, message, place, related=related, hint=hint)
