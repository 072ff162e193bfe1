"""The TypeScript target: the generated half of the JavaScript SDK.

`package.py` runs it. `methods.py` makes the view of the operations (`view.py`), through `arguments.py`,
`answers.py`, `signatures.py` and `descriptors.py`. `types.py` writes `types.ts`, an interface or an alias for
each component; `shapes.py` writes `shapes.ts`, which answers are checked against. Both read `components.py`;
`identifiers.py` spells all names, and `count.py` holds what was rendered against the API.
"""

from __future__ import annotations

from ...diagnostics import Diagnostics
from ...ir.api import Api
from ..base import GeneratedFile, Unsupported
from ..calls import calls_of
from ..shortfalls import check_sdk


class TypeScriptTarget:
    """Writes descriptors, types, shapes and one-line methods; the SDK's runtime does the rest."""

    name = "typescript"
    unsupported: tuple[Unsupported, ...] = ()
    irrelevant: frozenset[str] = frozenset(
        {
            "idempotency",
            "max_body_bytes",
            "rate_limit",
            "tries",
            "hedge",
            "breaker",
            "cache",
            "fallback",
            "priority",
            "validate",
            "roles",
            "cors",
            "networks",
        }
    )

    def __init__(self, sources: str = "sdk-js/src") -> None:
        self._sources = sources

    def check(self, api: Api, diagnostics: Diagnostics) -> None:
        """DH080 and on: what the SDK leaves to its callers."""
        check_sdk(calls_of(api), diagnostics)

    def render(self, api: Api) -> tuple[GeneratedFile, ...]:
        """The folder `generated` of the SDK's sources."""
        from .package import render_package  # `dhatu-codegen ir` needs no templates

        return render_package(calls_of(api), self._sources)
