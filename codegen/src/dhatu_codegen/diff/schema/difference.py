"""Why a value of one schema may not be one of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...document import Node

Certainty: TypeAlias = Literal["sure", "maybe", "enum", "undeclared"]
"""sure: a value exists, as far as the schemas have values at all. maybe: not decided. enum: values beyond a
closed list. undeclared: only values under a name that the narrower schema does not speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that the wider schema demands and the narrower one does not."""

    subject: str
    """`maxLength`, `property 'q'`."""
    wide_says: str
    narrow_says: str
    wide: Node
    narrow: Node
    certainty: Certainty = "sure"

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """Equal for the same difference, found on another way."""
        return (self.subject, self.wide_says, self.narrow_says, self.wide.pointer, self.narrow.pointer)
