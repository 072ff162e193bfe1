"""One OpenAPI document out of platform.yaml and the documents of its services.

settle (operations say what they inherit) > plan (what is shared, what gets a name of its own) > rename (what
refers follows) > join. docs/designs/0003-merge.md has the rules and their reasons.
"""

from __future__ import annotations

from ..path_item import METHODS
from .join import merge, walk_operations
from .service import EXTENSION, ServiceDocument
from .values import first_difference

__all__ = ["EXTENSION", "METHODS", "ServiceDocument", "first_difference", "merge", "walk_operations"]
