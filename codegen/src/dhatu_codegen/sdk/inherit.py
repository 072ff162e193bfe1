"""What `x-dhatu` says to an SDK of one operation, where nobody has checked it against its JSON Schema."""

from __future__ import annotations

from typing import Final, get_args

from ..diagnostics import Diagnostics
from ..document import Map, Node
from ..ir.policy import RetryClass
from ..ir.schema import Json
from ..merge import EXTENSION

_SDK: Final = {
    "resource": str,
    "method": str,
    "positional": list,
    "paginate": dict,
    "job": dict,
    "tokens": dict,
}


def inherited_extension(levels: tuple[Node, ...], diagnostics: Diagnostics) -> Map:
    """`sdk`, `timeout_s` and `retry`, the last level first; what else it says is the gateway's affair.

    DH057 for a value that cannot be meant, which is ignored.
    """
    found = Map(levels[-1].place)
    for level in levels:
        written = level.get(EXTENSION)
        for key, member in written.members() if written else ():
            if key == "sdk":
                _lay_sdk_over(found, member, diagnostics)
            elif key in ("timeout_s", "retry") and _is_meant(key, member.value):
                found.put(key, member.value, (member.source, member.place))
            elif key in ("timeout_s", "retry"):
                diagnostics.add("DH057", f"x-dhatu.{key} is ignored: it has no such value", member.place)
    return found


def _lay_sdk_over(found: Map, written: Node, diagnostics: Diagnostics) -> None:
    sdk = Map(written.place)
    before = found.get("sdk")
    for key in before if isinstance(before, Map) else ():
        if isinstance(before, Map):
            sdk.take(before, key)
    for key, member in written.members():
        if key in _SDK and isinstance(member.value, _SDK[key]):
            sdk.put(key, member.value, (member.source, member.place))
        elif key in _SDK:
            message = f"x-dhatu.sdk.{key} is ignored: it has no such value"
            diagnostics.add("DH057", message, member.place)
    found.put("sdk", sdk, (written.source, written.place))


def _is_meant(key: str, value: Json) -> bool:
    if key == "timeout_s":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return isinstance(value, dict) and value.get("class") in get_args(RetryClass)
