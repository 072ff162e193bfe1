"""What a document should be beyond valid: one function per rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..diagnostics import Diagnostics
from ..ir.api import Api
from .contract import declared_security, error_responses, stated_security, unique_sdk_names
from .cross_origin import cross_origin
from .examples import examples_present, examples_valid
from .limits import countable_limits
from .networks import networks
from .overlap import overlapping_routes
from .prose import described
from .roles import roles_reach_operations
from .sdk_names import sdk_arguments
from .sockets import sockets
from .stand_ins import stand_ins
from .style import ALWAYS, lint_style
from .ways import ways

RULES: Final[tuple[Callable[[Api, Diagnostics], None], ...]] = (
    unique_sdk_names,
    overlapping_routes,
    stated_security,
    declared_security,
    cross_origin,
    networks,
    sockets,
    sdk_arguments,
    countable_limits,
    roles_reach_operations,
    ways,
    described,
    error_responses,
    examples_present,
    examples_valid,
    stand_ins,
)


def lint(api: Api, diagnostics: Diagnostics) -> None:
    """Run every rule."""
    for rule in RULES:
        rule(api, diagnostics)
    lint_style(api.document, diagnostics, ALWAYS)
