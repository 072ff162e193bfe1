"""The gateway target: the route table, the schemas it validates with, and models of its own endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...diagnostics import Diagnostics
from ...emit import to_json
from ...ir import upstream
from ...ir.api import Api
from ..base import HEADER, GeneratedFile, Unsupported
from ..literals import names, source
from .methods import check_methods
from .models import render_models
from .view import platform, routes

_DIRECTORY: Final = "gateway/src/dhatu_gateway/generated"
_UPSTREAM: Final = frozenset(name for name in vars(upstream) if name[0].isupper())
"""Names of what the gateway keeps in a module of its own."""


class GatewayTarget:
    """Writes literals of the gateway's own types; the gateway reads them once, at boot."""

    name = "gateway"
    unsupported: tuple[Unsupported, ...] = ()
    irrelevant: frozenset[str] = frozenset()

    def check(self, api: Api, diagnostics: Diagnostics) -> None:
        """A route is passed on as it is, unless its requests cannot arrive."""
        check_methods(api, diagnostics)

    def render(self, api: Api) -> tuple[GeneratedFile, ...]:
        """`routes.py`, `models.py`, `openapi.json` and the package around them."""
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # the output is Python
        )
        facts, table = platform(api), routes(api)
        used = {"Route"} | names(facts) | names(table)
        text = environment.get_template("routes.py.jinja").render(
            header=HEADER,
            names=sorted(used - _UPSTREAM),
            upstream_names=sorted(used & _UPSTREAM),
            platform=source(facts, used=len("PLATFORM: Final = ")),
            routes=[source(route, indent=4, used=1) for route in table],
        )
        package = f'# {HEADER}\n"""Tables, schemas and models that the gateway reads at boot."""\n'
        return (
            GeneratedFile(path=f"{_DIRECTORY}/__init__.py", text=package),
            GeneratedFile(path=f"{_DIRECTORY}/models.py", text=render_models(api)),
            GeneratedFile(path=f"{_DIRECTORY}/openapi.json", text=to_json(api.document, HEADER)),
            GeneratedFile(path=f"{_DIRECTORY}/routes.py", text=text),
        )
