"""Every target, in the order in which they render. A new one is a folder and a line here."""

from __future__ import annotations

from typing import Final

from .base import Target
from .gateway import GatewayTarget
from .python import PythonTarget
from .typescript import TypeScriptTarget

TARGETS: Final[tuple[Target, ...]] = (GatewayTarget(), PythonTarget(), TypeScriptTarget())
