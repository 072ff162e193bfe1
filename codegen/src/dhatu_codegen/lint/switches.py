"""`lint` in platform.yaml: a rule that counts for more or less than usual here, and why."""

from __future__ import annotations

from typing import Final

from ..diagnostics import CODES, SEVERITIES, Diagnostics, Severity
from ..document import Map, Node
from ..lint_codes import LINT_CODES
from ..naming import nearest

_REFUSED_LATER: Final = "DH158"
"""Without it the gateway would not start, and say so less clearly."""

SWITCHABLE: Final = frozenset({"DH040", "DH041", "DH044", "DH046", "DH091", *LINT_CODES}) - {_REFUSED_LATER}


def switch_rules(platform: Map, diagnostics: Diagnostics) -> None:
    """Set the severities that platform.yaml names; DH010 for a code that is no rule, or no rule to switch."""
    written = Node.of(platform).get("lint")
    for code, entry in written.members() if written else ():
        if code in SWITCHABLE:
            severities: list[Severity] = [known for known in SEVERITIES if known == entry.text("severity")]
            diagnostics.switch(code, severities[0] if severities else None)
            continue
        known = code in CODES
        suggestion = nearest(code, SWITCHABLE)
        hint = f"did you mean {suggestion}?" if suggestion else "`dhatu-codegen explain` lists every code"
        message = (
            f"{code} cannot be switched: it is no matter of style" if known else f"there is no rule {code}"
        )
        diagnostics.add("DH010", message, entry.source, hint="" if known else hint)
