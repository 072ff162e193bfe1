"""One thing that changed, whom it concerns, and how it is called from one run to the next."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ..ir.source import SourceRef

Concern: TypeAlias = Literal["WIRE", "GATEWAY", "SDK"]
"""WIRE: what travels. GATEWAY: who may call, how often and where. SDK: code that was written against it."""

CONCERNS: Final[dict[str, Concern]] = {
    "DH200": "WIRE",
    "DH201": "WIRE",
    "DH202": "WIRE",
    "DH203": "WIRE",
    "DH204": "WIRE",
    "DH205": "WIRE",
    "DH206": "WIRE",
    "DH207": "WIRE",
    "DH208": "WIRE",
    "DH209": "WIRE",
    "DH210": "WIRE",
    "DH211": "WIRE",
    "DH212": "WIRE",
    "DH213": "WIRE",
    "DH214": "WIRE",
    "DH215": "WIRE",
    "DH216": "WIRE",
    "DH217": "WIRE",
    "DH218": "WIRE",
    "DH219": "WIRE",
    "DH230": "GATEWAY",
    "DH231": "GATEWAY",
    "DH232": "GATEWAY",
    "DH233": "GATEWAY",
    "DH234": "GATEWAY",
    "DH235": "GATEWAY",
    "DH236": "GATEWAY",
    "DH237": "GATEWAY",
    "DH238": "GATEWAY",
    "DH239": "GATEWAY",
    "DH240": "SDK",
    "DH241": "SDK",
    "DH242": "SDK",
    "DH243": "SDK",
    "DH244": "SDK",
    "DH245": "SDK",
    "DH246": "SDK",
    "DH247": "SDK",
    "DH248": "SDK",
    "DH249": "SDK",
    "DH250": "WIRE",
    "DH251": "WIRE",
    "DH252": "WIRE",
}
"""The codes of changes; severities are in diagnostics.CODES."""

ADDED: Final = "DH219"
"""Something new, or allowed from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that is not as it was."""

    code: str
    where: str
    """Stable from run to run: `GET /api/v1/corpus/search: query parameter q`."""
    text: str
    old: SourceRef | None
    """Its place in the old document; None for what is new."""
    new: SourceRef | None
    """Its place in the new document; None for what is gone."""
    hint: str = ""

    @property
    def fingerprint(self) -> str:
        """A name that stays as long as the change is the same, wherever its lines move."""
        return hashlib.sha256(f"{self.code}\n{self.where}\n{self.text}".encode()).hexdigest()[:12]
