"""Why a query selects nothing: the first step that leads nowhere, and what was probably meant."""

from __future__ import annotations

from dataclasses import replace

from ..document import Map
from ..jsonpath import Query, find
from ..jsonpath.syntax import Name, Segment, Wildcard
from ..naming import nearest


def nearest_miss(query: Query, document: Map) -> str:
    """A hint for somebody whose query selects nothing in the document; empty where none is worth giving."""
    for index, segment in enumerate(query.segments):
        if find(replace(query, segments=query.segments[: index + 1]), document):
            continue
        names = [selector.name for selector in segment.selectors if isinstance(selector, Name)]
        if not names:
            return "what stands before the last brackets selects something, they do not" if index else ""
        known = _names_at(replace(query, segments=query.segments[:index]), segment, document)
        suggestion = nearest(names[0], known)
        if suggestion:
            return f"did you mean {suggestion!r}?"
        shown = ", ".join(repr(name) for name in sorted(known)[:8])
        more = ", ..." if len(known) > 8 else ""
        return f"there is no {names[0]!r} there; known: {shown}{more}" if known else ""
    return ""


def _names_at(before: Query, segment: Segment, document: Map) -> set[str]:
    """The names among which the segment looked."""
    looked = Segment((Wildcard(),), descendant=segment.descendant)
    found = find(replace(before, segments=(*before.segments, looked)), document)
    return {name for match in found if isinstance(name := match.location[-1], str)}
