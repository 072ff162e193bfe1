"""The Python target: the generated half of the Python SDK.

`package.py` runs it. `methods.py` makes the view of the operations (`view.py`), through `arguments.py`,
`answers.py` and `signatures.py`; these ask `model_document.py` for the models that they mention, which
`models.py` renders. `listing.py` lists the methods, and `count.py` holds what was rendered against the API.
"""

from __future__ import annotations

from ...diagnostics import Diagnostics
from ...ir.api import Api
from ..base import GeneratedFile, Unsupported
from ..calls import calls_of
from ..shortfalls import check_sdk
from .going_on import JOB_MEMBERS, PAGE_MEMBERS


class PythonTarget:
    """Writes descriptors, models, and one-line methods; the SDK's runtime does the rest."""

    name = "python"
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

    def __init__(self, sources: str = "sdk-python/src") -> None:
        self._sources = sources

    def check(self, api: Api, diagnostics: Diagnostics) -> None:
        """DH080 and on: what the SDK leaves to its callers."""
        check_sdk(calls_of(api), diagnostics, page_members=PAGE_MEMBERS, job_members=JOB_MEMBERS)

    def render(self, api: Api) -> tuple[GeneratedFile, ...]:
        """The package `generated` inside the SDK."""
        # The two generators behind it take half a second to import; `dhatu-codegen ir` needs neither.
        from .package import render_package

        return render_package(calls_of(api), self._sources)
