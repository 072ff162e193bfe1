"""What an overlay must be, apart from the document that it changes."""

from __future__ import annotations

import re
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Node
from ..naming import nearest

_VERSION: Final = re.compile(r"1\.[01]\.\d+")
_ROOT: Final = ("overlay", "info", "extends", "actions")
_INFO: Final = ("title", "version", "description")
_ACTION: Final = ("target", "description", "update", "remove", "copy")
_CHANGES: Final = ("update", "remove", "copy")


def check_overlay(overlay: Node, diagnostics: Diagnostics) -> bool:
    """Report what the Overlay Specification refuses; True where the actions can be applied."""
    errors_before = len(diagnostics.errors)
    version = overlay.get("overlay")
    if version is None or not isinstance(version.value, str) or not _VERSION.fullmatch(version.value):
        found = repr(version.value) if version else "none"
        message = f"`overlay` must be the version 1.0.x or 1.1.x, found {found}"
        diagnostics.add("DH066", message, (version or overlay).place, hint="write overlay: 1.1.0")
        return False
    _check_keys(overlay, _ROOT, diagnostics)
    _check_texts(overlay, ("extends",), (), diagnostics)
    info = overlay.get("info")
    if info is None or not isinstance(info.value, dict):
        diagnostics.add("DH066", "`info` must be an object", (info or overlay).place)
    else:
        _check_keys(info, _INFO, diagnostics)
        _check_texts(info, _INFO, ("title", "version"), diagnostics)
    actions = overlay.get("actions")
    if actions is None or not isinstance(actions.value, list) or not actions.value:
        diagnostics.add(
            "DH066", "`actions` must be a list of one action at least", (actions or overlay).place
        )
    for action in actions.elements() if actions else ():
        _check_action(action, version.value, diagnostics)
    return len(diagnostics.errors) == errors_before


def _check_action(action: Node, version: str, diagnostics: Diagnostics) -> None:
    if not isinstance(action.value, dict):
        diagnostics.add("DH066", "an action must be an object", action.place)
        return
    known = _ACTION if version.startswith("1.1.") else tuple(key for key in _ACTION if key != "copy")
    _check_keys(action, known, diagnostics)
    _check_texts(action, ("target", "description", "copy"), ("target",), diagnostics)
    remove = action.get("remove")
    if remove is not None and not isinstance(remove.value, bool):
        diagnostics.add("DH066", "`remove` must be true or false", remove.place)
    present = [key for key in _CHANGES if action.get(key)]
    if not present:
        diagnostics.add("DH066", "an action needs `update`, `remove` or `copy`", action.place)
    elif len(present) > 1 and version.startswith("1.1."):
        second = action.get(present[1]) or action
        message = f"`{present[0]}` and `{present[1]}` in one action: the first would win"
        diagnostics.add("DH066", message, second.source, hint="make two actions of it")


def _check_keys(node: Node, known: tuple[str, ...], diagnostics: Diagnostics) -> None:
    for key, member in node.members():
        if key not in known and not key.startswith("x-"):
            suggestion = nearest(key, known)
            hint = (
                f"did you mean {suggestion!r}?" if suggestion else f"known keys: {', '.join(sorted(known))}"
            )
            diagnostics.add("DH066", f"unknown key {key!r} in an overlay", member.source, hint=hint)


def _check_texts(
    node: Node, keys: tuple[str, ...], required: tuple[str, ...], diagnostics: Diagnostics
) -> None:
    for key in keys:
        member = node.get(key)
        if member is None and key in required:
            diagnostics.add("DH066", f"`{key}` is missing", node.place)
        elif member is not None and not isinstance(member.value, str):
            diagnostics.add("DH066", f"`{key}` must be a text", member.place, hint="put it in quotes")
